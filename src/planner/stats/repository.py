"""One statement for all counts of a tenant; soft-deleted rows are not counted, nor what lies under them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, exists, func, select

from planner.comments.models import Comment
from planner.items.models import Item
from planner.projects.models import Project
from planner.tasks.models import Task
from tenantry.database import Statement

_PROJECTS, _TASKS = Project.__table__, Task.__table__
_COMMENTS, _ITEMS = Comment.__table__, Item.__table__


def _live_project(tasks: FromClause) -> ColumnElement[bool]:
    return exists(
        select(1).where(
            _PROJECTS.c.tenant_id == tasks.c.tenant_id,
            _PROJECTS.c.id == tasks.c.project_id,
            _PROJECTS.c.deleted_at.is_(None),
        )
    )


def _by_status(rows: Select[Any]) -> ColumnElement[Any]:
    counted = rows.subquery()
    return select(func.json_object_agg(counted.c.status, counted.c.number)).scalar_subquery()


def _number(rows: Select[Any]) -> ColumnElement[Any]:
    return rows.with_only_columns(func.count()).scalar_subquery()


_live_tasks = (_TASKS.c.deleted_at.is_(None), _live_project(_TASKS))
_live_comments = (
    _COMMENTS.c.deleted_at.is_(None),
    exists(
        select(1).where(_TASKS.c.tenant_id == _COMMENTS.c.tenant_id, _TASKS.c.id == _COMMENTS.c.task_id, *_live_tasks)
    ),
)

COUNTS = Statement(
    select(
        _by_status(
            select(_PROJECTS.c.status, func.count().label("number"))
            .where(_PROJECTS.c.deleted_at.is_(None))
            .group_by(_PROJECTS.c.status)
        ).label("projects"),
        _by_status(
            select(_TASKS.c.status, func.count().label("number")).where(*_live_tasks).group_by(_TASKS.c.status)
        ).label("tasks"),
        _number(select(_TASKS).where(*_live_tasks, _TASKS.c.status != "done")).label("open_tasks"),
        _number(select(_ITEMS).where(_ITEMS.c.deleted_at.is_(None))).label("items"),
        _number(select(_COMMENTS).where(*_live_comments)).label("comments"),
    )
)
