"""`ResourceRouter`: the routes of a resource, as a short loop over plain coroutines.

FastAPI's dependency chain costs 160 µs and more for a route with list parameters; a `ResourceRoute` declares the same
signature for the OpenAPI document, and answers in plain code.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass, field, replace
from inspect import Parameter, Signature
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, create_model
from starlette.types import Receive, Scope, Send

from tenantry.http import (
    API_PREFIX,
    CREATED,
    VERSIONED,
    Deleted,
    IdempotencyKey,
    IfMatch,
    IfNoneMatch,
    ResponseStyle,
    answer_model,
    deleted_status,
    unbounded_strings,
)
from tenantry.kernel import ConfigurationError, with_article
from tenantry.query import ListSpec, openapi_parameters
from tenantry.resources.operations import STANDARD, Exchange, Operation, Operations, Serve
from tenantry.resources.service import CHECKS, ResourceService


class ResourceRoute(APIRoute):
    """A route whose declared signature is for OpenAPI and whose answer is made by `serve`."""

    def __init__(self, path: str, serve: Serve, signature: Signature, **declared: Any) -> None:
        async def endpoint() -> None:
            """Stand for `serve` in the OpenAPI document; never called."""

        endpoint.__doc__ = None  # FastAPI would show it to clients as the route's description
        endpoint.__signature__ = signature  # type: ignore[attr-defined]
        endpoint.__module__ = self.__module__
        super().__init__(path, endpoint, **declared)
        self.app = self._answer
        self._serve = serve

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = await Exchange.begin(scope, receive)
        answer = await self._serve(exchange)
        await answer.send(send)


class PageFacts(BaseModel):
    """Where a page stands in its list."""

    next_cursor: str | None
    """Send it as ``cursor`` for the next page; null on the last one."""
    has_more: bool
    total: int | None = None
    """How many records there are in all; only with ``with_total=true``."""

    model_config = ConfigDict(use_attribute_docstrings=True)


def page_model(name: str, item: type[BaseModel]) -> type[BaseModel]:
    """Return the model of a page of a list, for the OpenAPI document.

    >>> list(page_model("PagesOfFacts", PageFacts).model_fields)
    ['items', 'page']
    """
    items: Any = (list[item], ...)  # type: ignore[valid-type]
    return create_model(name, items=items, page=(PageFacts, ...))


@dataclass(eq=False)
class ResourceRouter:
    """The routes of one resource, made for the response style of the application that mounts them.

    `path` stands below the prefix of the API; so does `under`, where records are listed and created below a parent.
    `name` is the first part of the operation ids, `tag` the group in the OpenAPI document; both are the resource's
    name where nothing else is said.
    """

    service: type[ResourceService]
    path: str
    _: KW_ONLY
    create: type[BaseModel] | None = None
    update: type[BaseModel] | None = None
    operations: Collection[Operation] = STANDARD
    filters: Collection[str] = ()
    sort: Collection[str] = ("created_at",)
    default_sort: str = "-created_at"
    search: Collection[str] = ()
    under: str | None = None
    id_in_path: str = "id"
    name: str = ""
    tag: str = ""
    spec: ListSpec = field(init=False)
    """What its lists are filtered, sorted and searched by."""

    def __post_init__(self) -> None:
        """Refuse what could not be served, at start and by name."""
        resource = self.service.resource
        self.name = self.name or resource.name.replace("-", "_")
        self.tag = self.tag or resource.name
        self.spec = ListSpec(
            resource.columns,
            fields=resource.line.names,
            filters=self.filters,
            sorts=self.sort,
            default_sort=self.default_sort,
            search=self.search,
        )
        self._check()

    def extended(
        self,
        *,
        read: type[BaseModel] | None = None,
        create: type[BaseModel] | None = None,
        update: type[BaseModel] | None = None,
        filters: Collection[str] = (),
        sort: Collection[str] = (),
    ) -> ResourceRouter:
        """Return the same routes over more columns (see `tenantry.database.extend`): schemas with fields of one's own.

        `filters` and `sort` are added to those that there are. The service keeps its rules.
        """
        resource = self.service.resource
        wider = replace(resource, read=read or resource.read, list_item=None)  # type: ignore[arg-type]
        return replace(
            self,
            service=type(self.service.__name__, (self.service,), {"resource": wider, "__doc__": self.service.__doc__}),
            create=create or self.create,
            update=update or self.update,
            filters={*self.filters, *filters},
            sort={*self.sort, *sort},
        )

    def routes(self, style: ResponseStyle) -> list[ResourceRoute]:
        """Return the routes, static paths before ``/{id}``."""
        routes: list[ResourceRoute] = []
        if self.under:
            nested, owner = self._operations(style, self.under), self.under.split("/")[-3]
            named = {Operation.LIST: f"{owner}_{self.name}_list", Operation.CREATE: f"{self.name}_create"}
            routes += [
                self._route(nested, operation, self.under, name)
                for operation, name in named.items()
                if operation in self.operations
            ]
        flat = self._operations(style, self.path)
        routes += [
            self._route(flat, operation, self._address(operation), f"{self.name}_{operation}")
            for operation in Operation
            if operation in self.operations and not (self.under and operation is Operation.CREATE)
        ]
        return routes

    def _operations(self, style: ResponseStyle, path: str) -> Operations:
        """Return the operations that are served below a path; the last id in it is the parent's."""
        return Operations(
            self.service,
            self.spec,
            style,
            API_PREFIX + self.path,
            create_schema=self.create,
            update_schema=self.update,
            parent_in_path=path.rpartition("{")[2].partition("}")[0] if "{" in path else None,
            id_in_path=self.id_in_path,
            located=Operation.READ in self.operations,
        )

    def _address(self, operation: Operation) -> str:
        match operation:
            case Operation.CREATE | Operation.LIST | Operation.CLEAR:
                return self.path
            case Operation.RESTORE:
                return f"{self.path}/{{{self.id_in_path}}}/restore"
            case _:
                return f"{self.path}/{{{self.id_in_path}}}"

    def _route(self, served: Operations, operation: Operation, path: str, operation_id: str) -> ResourceRoute:
        facts = _FACTS[operation]
        answer = {
            Operation.LIST: page_model(self.service.resource.page_name, self.service.resource.list_item),
            Operation.DELETE: Deleted,
            Operation.CLEAR: Cleared,
        }.get(operation, self.service.resource.read)
        status = deleted_status(served.style) if operation is Operation.DELETE else facts.status
        return ResourceRoute(
            API_PREFIX + path,
            getattr(served, operation.value),
            self._signature(operation, served.parent_in_path),
            methods=[facts.method],
            status_code=status,
            response_model=None if status == _NO_CONTENT else answer_model(served.style, answer),
            operation_id=operation_id,
            name=operation_id,
            tags=[self.tag],
            summary=facts.summary.format(one=with_article(self.service.resource.singular), many=self.name),
            responses=self._responses(operation),
            openapi_extra={"parameters": openapi_parameters(self.spec)} if operation is Operation.LIST else None,
        )

    def _signature(self, operation: Operation, parent: str | None) -> Signature:
        declared: dict[str, Any] = {}
        if parent:
            declared[parent] = Annotated[UUID, Path()]
        if f"{{{self.id_in_path}}}" in self._address(operation):
            declared[self.id_in_path] = Annotated[UUID, Path()]
        match operation:
            case Operation.CREATE:
                declared["payload"] = self.create
                declared["idempotency_key"] = IdempotencyKey
            case Operation.READ if self.service.resource.versioned:
                declared["if_none_match"] = IfNoneMatch
            case Operation.REPLACE:
                declared["payload"] = self.create
            case Operation.UPDATE:
                declared["payload"] = self.update
            case Operation.DELETE if self.service.resource.purgeable:
                declared["hard"] = Annotated[bool, Query(description="Remove the record for good (needs purge).")]
            case Operation.CLEAR:
                declared["confirm"] = Annotated[
                    str, Query(pattern=f"^{self.name}$", description="The resource's name.")
                ]
        if operation in _CONDITIONAL and self.service.resource.versioned:
            declared["if_match"] = IfMatch
        optional: dict[str, Any] = {"hard": False, "if_match": None, "if_none_match": None, "idempotency_key": None}
        return Signature(
            [
                Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind, default=optional.get(name, Parameter.empty))
                for name, kind in declared.items()
            ]
        )

    def _responses(self, operation: Operation) -> dict[int | str, dict[str, Any]] | None:
        """Return what comes with an answer: a version where records have one, an address where they can be read."""
        is_versioned = self.service.resource.versioned
        is_told = Operation.READ in self.operations if operation is Operation.CREATE else is_versioned
        return _RESPONSES.get(operation) if is_told else None

    def _check(self) -> None:
        needed = {
            Operation.CREATE: self.create,
            Operation.REPLACE: self.create,
            Operation.UPDATE: self.update,
        }
        for operation, schema in needed.items():
            if operation in self.operations and schema is None:
                raise ConfigurationError(f"{self.path}: the operation {operation} needs its schema.")
        for schema in (self.create, self.update):
            if schema is not None and (open_ := unbounded_strings(schema)):
                raise ConfigurationError(
                    f"{schema.__name__}: {', '.join(open_)} may be of any length; use ShortText, MaxLen(…) or RichText."
                )
        self.spec.without(frozenset(self.service.resource.access.restricted))  # fails where nobody else could list
        if Operation.RESTORE in self.operations and not self.service.resource.soft_deletes:
            raise ConfigurationError(f"{self.path}: restore needs a model with SoftDeletes.")
        if self.service.resource.guarded:
            self._check_guarded()

    def _check_guarded(self) -> None:
        """Refuse a guarded resource whose service has no hook for one of its writes: a misspelt one is none."""
        if Operation.CLEAR in self.operations:
            raise ConfigurationError(f"{self.path}: a guarded resource is not cleared; its records go one by one.")
        for operation in Operation:
            verb = "update" if operation is Operation.REPLACE else operation.value
            if operation in self.operations and verb in CHECKS and not self.service.checks(verb):
                raise ConfigurationError(
                    f"{self.path}: {self.service.__name__} has no {CHECKS[verb]}, and its resource is guarded. Write "
                    "the hook, or say guarded=False where a permission is all that the write needs."
                )


class Cleared(BaseModel):
    """How many records a clear deleted."""

    removed: int


class _Facts(BaseModel):
    method: str
    status: int
    summary: str


_FACTS = {
    Operation.CREATE: _Facts(method="POST", status=201, summary="Create {one}"),
    Operation.READ: _Facts(method="GET", status=200, summary="Read {one}"),
    Operation.LIST: _Facts(method="GET", status=200, summary="List {many}"),
    Operation.UPDATE: _Facts(method="PATCH", status=200, summary="Change fields of {one}"),
    Operation.REPLACE: _Facts(method="PUT", status=200, summary="Replace {one}"),
    Operation.DELETE: _Facts(method="DELETE", status=204, summary="Delete {one}"),
    Operation.RESTORE: _Facts(method="POST", status=200, summary="Restore {one}"),
    Operation.CLEAR: _Facts(method="DELETE", status=200, summary="Delete all {many}"),
}
_CONDITIONAL = {Operation.UPDATE, Operation.REPLACE, Operation.DELETE, Operation.RESTORE}
_NO_CONTENT = 204
_RESPONSES: dict[Operation, dict[int | str, dict[str, Any]]] = {
    Operation.CREATE: {201: CREATED},
    Operation.READ: {200: VERSIONED, 304: {"description": "The copy is still good."}},
    Operation.UPDATE: {200: VERSIONED},
    Operation.REPLACE: {200: VERSIONED},
    Operation.RESTORE: {200: VERSIONED},
}
"""What comes with an answer, and answers that are no failures."""
