"""One statement for all counts of a tenant, over the records that the reader sees."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from planner.projects.service import ProjectService
from planner.records import RECORDS
from planner.tasks.service import TaskService
from tenantry.access import SUBJECTS, Permits, Principal
from tenantry.database import Row, Statement, UnitOfWork


async def read_counts(uow: UnitOfWork, principal: Principal) -> Row:
    """Return the counts of what the principal sees."""
    reads = tuple(access.read_permits(principal) for access in RECORDS)
    return await uow.exactly_one(counts(reads), **{SUBJECTS: principal.subjects})


@lru_cache(maxsize=256)
def counts(reads: tuple[Permits, ...]) -> Statement:
    """``projects, tasks`` as JSON objects by status, ``open_tasks, items, comments``."""
    projects, tasks, comments, items = (
        select(access.table).where(access.visible(access.table, read))
        for access, read in zip(RECORDS, reads, strict=True)
    )
    is_open = TaskService.resource.table.c.status != "done"
    return Statement(
        select(
            _by_status(projects, ProjectService.resource.table.c.status).label("projects"),
            _by_status(tasks, TaskService.resource.table.c.status).label("tasks"),
            _number(tasks.where(is_open)).label("open_tasks"),
            _number(items).label("items"),
            _number(comments).label("comments"),
        )
    )


def _by_status(rows: Select[Any], status: ColumnElement[str]) -> ColumnElement[Any]:
    counted = rows.with_only_columns(status, func.count().label("number")).group_by(status).subquery()
    return select(func.json_object_agg(counted.c.status, counted.c.number)).scalar_subquery()


def _number(rows: Select[Any]) -> ColumnElement[Any]:
    return rows.with_only_columns(func.count()).scalar_subquery()
