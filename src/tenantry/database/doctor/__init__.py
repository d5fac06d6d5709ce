"""Doctor: the rules that a live database must keep, each with its reason and its way out."""
