"""Resources: model mixins, schema bases, and the repository, service and routes made from one declaration."""

from tenantry.http import partial
from tenantry.resources.answer import Answer
from tenantry.resources.controller import Controller, endpoint, is_controller, scope
from tenantry.resources.definition import ResourceDefinition
from tenantry.resources.errors import ConfirmationMissing, IdempotencyKeyReused, InvalidId
from tenantry.resources.idempotency import (
    ControlIdempotencyKey,
    Idempotency,
    IdempotencyKey,
    Idempotent,
    PersonIdempotencyKey,
    PersonIdempotent,
)
from tenantry.resources.lists import Expected, list_answer, list_binding, parameters_of, request_id_of
from tenantry.resources.models import Owned, SoftDeletes, TenantModel, newest_first, unique_among_live
from tenantry.resources.operations import STANDARD, Exchange, Operation, Operations, ResourceEdge
from tenantry.resources.orm_trail import OrmTrail
from tenantry.resources.projection import Projection, SqlField
from tenantry.resources.repository import Rendered, ResourceRepository
from tenantry.resources.router import PageFacts, ResourceRoute, ResourceRouter, page_model
from tenantry.resources.schemas import CreateSchema, ReadSchema, UpdateSchema
from tenantry.resources.service import ResourceService
from tenantry.resources.statements import Change
from tenantry.resources.write import Write

__all__ = [
    "STANDARD",
    "Answer",
    "Change",
    "ConfirmationMissing",
    "ControlIdempotencyKey",
    "Controller",
    "CreateSchema",
    "Exchange",
    "Expected",
    "Idempotency",
    "IdempotencyKey",
    "IdempotencyKeyReused",
    "Idempotent",
    "InvalidId",
    "Operation",
    "Operations",
    "OrmTrail",
    "Owned",
    "PageFacts",
    "PersonIdempotencyKey",
    "PersonIdempotent",
    "Projection",
    "ReadSchema",
    "Rendered",
    "ResourceDefinition",
    "ResourceEdge",
    "ResourceRepository",
    "ResourceRoute",
    "ResourceRouter",
    "ResourceService",
    "SoftDeletes",
    "SqlField",
    "TenantModel",
    "UpdateSchema",
    "Write",
    "endpoint",
    "is_controller",
    "list_answer",
    "list_binding",
    "newest_first",
    "page_model",
    "parameters_of",
    "partial",
    "request_id_of",
    "scope",
    "unique_among_live",
]
