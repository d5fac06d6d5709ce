"""Teams: groups of members that stand in one another, and may give roles to everybody in them."""
