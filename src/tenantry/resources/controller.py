"""Controllers: a class whose methods are routes, for commands that are no create, read, update or delete.

>>> from uuid import UUID
>>> @scope("/lamps-example", access=LAMPS)  # doctest: +SKIP
... class LampCommands(Controller):
...     @endpoint("/{id}/switch", verb="switch")
...     async def switch(self, id: UUID, payload: Switch) -> LampRead:
...         '''Switch a lamp on or off.'''

Each call is one unit of work. The same rule decides as for every other route: on the record whose id is in the path
(404 where it is not visible, 403 where the verb is not allowed), or on the resource as a whole where there is none.
The method runs only if it may, in the same transaction. A POST takes an `Idempotency-Key`: sent again, it is decided
again, and answered as before. One that returns a `Response` takes none: files and streams are not stored.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from inspect import Parameter, Signature
from typing import Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import TypeAdapter

from tenantry.access import (
    Access,
    AccessContext,
    Principal,
    ResourceAccess,
    member,
    require_anywhere,
    require_on_record,
)
from tenantry.database import UnitOfWork
from tenantry.http import api_router
from tenantry.kernel import ConfigurationError
from tenantry.resources.answer import Answer
from tenantry.resources.idempotency import Idempotency, Idempotent
from tenantry.runtime import Runtime

_ID = "id"
_NO_CONTENT = 204

Making = Callable[[UnitOfWork, Principal, Runtime], Any]
"""How a controller is made for a call: by its class."""

Method = TypeVar("Method", bound=Callable[..., Awaitable[Any]])
Class = TypeVar("Class", bound=type)


class Controller:
    """Base of controllers: what a method has at hand. A `ResourceService` can be one as well."""

    def __init__(self, uow: UnitOfWork, principal: Principal, runtime: Runtime) -> None:
        self.uow = uow
        self.principal = principal
        self.runtime = runtime


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What `endpoint` says about a method."""

    path: str
    verb: str
    method: str
    status_code: int
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_record(self) -> bool:
        """Whether it is called on one record."""
        return "{id}" in self.path


def endpoint(
    path: str = "", *, verb: str, method: str = "POST", status_code: int = 200, **options: Any
) -> Callable[[Method], Method]:
    """Make a method of a controller a route below the controller's path.

    `verb` is what the caller must be allowed to do (``<resource>:<verb>``); `options` are those of FastAPI's routes
    (``summary``, ``responses``, …).
    """

    def mark(function: Method) -> Method:
        function.__endpoint__ = Endpoint(path, verb, method, status_code, options)  # type: ignore[attr-defined]
        return function

    return mark


def scope(
    path: str,
    *,
    access: ResourceAccess,
    acl_admins: Collection[str] = (),
    acl_allow_always: Collection[str] = (),
) -> Callable[[Class], Class]:
    """Make a class a controller: its endpoints are served below `path`, under the rule of a resource.

    Roles in `acl_allow_always` may call every endpoint, whatever grants say; those in `acl_admins` administer the
    grants; both in addition to what `access` declares. The class is given ``routes``, so that it can stand among the
    routers of a `Module`, and ``access``, the rule with these roles.

    Raises `ConfigurationError` for a class without endpoints.
    """
    rule = replace(
        access,
        acl_admins=frozenset((*access.acl_admins, *acl_admins)),
        acl_allow_always=frozenset((*access.acl_allow_always, *acl_allow_always)),
    )

    def declare(controller: Class) -> Class:
        methods = [one for _, one in inspect.getmembers(controller, inspect.isfunction) if hasattr(one, "__endpoint__")]
        if not methods:
            raise ConfigurationError(f"{controller.__name__}: a controller has at least one @endpoint.")
        router = api_router(path, tags=[rule.resource], dependencies=[member])
        for method in sorted(methods, key=lambda one: one.__code__.co_firstlineno):
            _add(router, controller, method, rule)
        controller.access = rule  # type: ignore[attr-defined]
        controller.verbs = frozenset(method.__endpoint__.verb for method in methods)  # type: ignore[attr-defined]
        controller.routes = router.routes  # type: ignore[attr-defined]
        return controller

    return declare


def is_controller(router: object) -> bool:
    """Tell whether something among the routers of a module is a controller."""
    return isinstance(router, type) and hasattr(router, "verbs") and hasattr(router, "routes")


def _add(router: APIRouter, controller: Making, method: Callable[..., Awaitable[Any]], rule: ResourceAccess) -> None:
    """Add one method as a route."""
    declared: Endpoint = method.__endpoint__  # type: ignore[attr-defined]
    signature = inspect.signature(method, eval_str=True)
    is_undeclared = signature.return_annotation is Signature.empty or _returns_response(method)
    options = {"response_model": None if is_undeclared else signature.return_annotation, **declared.options}
    name = f"{rule.resource.replace('-', '_')}_{method.__name__}"
    router.add_api_route(
        declared.path,
        _serving(controller, method, rule, TypeAdapter(options["response_model"])),
        methods=[declared.method],
        status_code=declared.status_code,
        name=name,
        operation_id=name,
        **options,
    )


def _serving(
    controller: Making, method: Callable[..., Awaitable[Any]], rule: ResourceAccess, returned: TypeAdapter[Any]
) -> Callable[..., Awaitable[Any]]:
    """Return the function of a route: it asks the rule, then calls the method, for a POST once for each key."""
    declared: Endpoint = method.__endpoint__  # type: ignore[attr-defined]

    async def serve(access: AccessContext, idempotency: Idempotency | None = None, **given: Any) -> Any:
        if not declared.has_record:
            require_anywhere(access.principal, rule, declared.verb)
        async with access.work() as uow:
            if declared.has_record:
                await require_on_record(uow, access.principal, rule, declared.verb, given[_ID])
            called = controller(uow, access.principal, access.runtime)
            if idempotency is None or idempotency.key is None:
                return await method(called, **given)

            async def work() -> Answer:
                return _answer(await method(called, **given), returned, declared.status_code)

            answer = await idempotency.answer(uow, work)
        return answer.response()

    serve.__signature__ = _served(method, declared)  # type: ignore[attr-defined]
    serve.__doc__ = method.__doc__
    return serve


def _answer(value: Any, returned: TypeAdapter[Any], status: int) -> Answer:
    """Return what a method returned as the answer of its route, to be stored."""
    if isinstance(value, Response):
        return Answer.of(value)
    if status == _NO_CONTENT:
        return Answer(status)
    shown = returned.validate_python(value, from_attributes=True)
    return Answer(status, returned.dump_json(shown, by_alias=True))


def _served(method: Callable[..., Any], declared: Endpoint) -> Signature:
    """Return the signature of the route: the method's, with who calls instead of `self`, and the key of a POST."""
    own = inspect.signature(method, eval_str=True).parameters
    if declared.has_record and (_ID not in own or own[_ID].annotation is not UUID):
        raise ConfigurationError(f"{method.__qualname__}: its path names a record, so it takes `id: UUID`.")
    added: dict[str, Any] = {"access": Access}
    if declared.method == "POST" and not _returns_response(method):
        added["idempotency"] = Idempotent
    parameters = [one.replace(kind=Parameter.KEYWORD_ONLY) for one in list(own.values())[1:]]
    parameters += [Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind) for name, kind in added.items()]
    return Signature(parameters)


def _returns_response(method: Callable[..., Any]) -> bool:
    """Tell whether a method makes its whole answer itself: a file, or a stream, of which nothing is stored."""
    returned = inspect.signature(method, eval_str=True).return_annotation
    return isinstance(returned, type) and issubclass(returned, Response)
