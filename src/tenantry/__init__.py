"""Tenantry: multi-tenant SaaS backends on PostgreSQL. See ARCHITECTURE.md for the floors."""
