"""Planner: the project-management backend built on Tenantry, and its reference application."""
