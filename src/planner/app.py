"""Planner as one value: its modules in the order of their routes."""

from planner import activity, comments, items, projects, stats, tasks
from planner.demo import Demo
from tenantry.app import Application
from tenantry.standard import standard_modules

application = Application(
    title="Planner",
    package="planner",
    description="Project management for many tenants, built on Tenantry.",
    modules=(
        *standard_modules(),
        projects.module,
        tasks.module,
        comments.module,
        items.module,
        activity.module,
        stats.module,
    ),
    seed=Demo(),
)
