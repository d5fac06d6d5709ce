"""What roles mean: those of a tenant's own, and who may give which."""
