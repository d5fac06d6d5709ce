"""The HTTP edge: problems, response styles, the edge middleware, and the types of what comes in."""

from tenantry.http.body import is_json, read_json, require_json
from tenantry.http.bounds import unbounded_strings
from tenantry.http.documentation import ProblemDetails, ProblemEnvelope, problem_components, problem_responses
from tenantry.http.envelope import (
    Deleted,
    Envelope,
    ResponseStyle,
    answer_model,
    deleted_response,
    deleted_status,
    envelope_of,
    wrap,
)
from tenantry.http.errors import (
    BodyTooLarge,
    DependencyUnavailable,
    InternalError,
    InvalidHeader,
    InvalidQuery,
    MalformedJson,
    MethodNotAllowed,
    RouteNotFound,
    StaleVersion,
    TimedOut,
    UnsupportedMediaType,
)
from tenantry.http.field_errors import field_errors, json_pointer
from tenantry.http.fields import (
    RESERVED_SLUGS,
    AwareDateTime,
    BigInt,
    BoundedInt,
    Email,
    LongText,
    MaxLen,
    Password,
    RichText,
    ShortText,
    Slug,
    canonical_email,
)
from tenantry.http.handlers import failure_response, install_problem_handlers
from tenantry.http.headers import etag, idempotency_key, parse_if_match
from tenantry.http.middleware import UNMATCHED, RequestEdge, route_template
from tenantry.http.problem import MEDIA_TYPE, STATUS_OF, Problem, problem_body, problem_of
from tenantry.http.routing import API_PREFIX, GuardedRoute, access_rule, api_router, public, rules_of
from tenantry.http.safe_json import MAX_JSON_BYTES, MAX_JSON_DEPTH, SafeJson
from tenantry.http.schemas import InputSchema, OutputSchema, partial
from tenantry.http.settings import HttpSettings, cors_middleware
from tenantry.http.text import clean

__all__ = [
    "API_PREFIX",
    "MAX_JSON_BYTES",
    "MAX_JSON_DEPTH",
    "MEDIA_TYPE",
    "RESERVED_SLUGS",
    "STATUS_OF",
    "UNMATCHED",
    "AwareDateTime",
    "BigInt",
    "BodyTooLarge",
    "BoundedInt",
    "Deleted",
    "DependencyUnavailable",
    "Email",
    "Envelope",
    "GuardedRoute",
    "HttpSettings",
    "InputSchema",
    "InternalError",
    "InvalidHeader",
    "InvalidQuery",
    "LongText",
    "MalformedJson",
    "MaxLen",
    "MethodNotAllowed",
    "OutputSchema",
    "Password",
    "Problem",
    "ProblemDetails",
    "ProblemEnvelope",
    "RequestEdge",
    "ResponseStyle",
    "RichText",
    "RouteNotFound",
    "SafeJson",
    "ShortText",
    "Slug",
    "StaleVersion",
    "TimedOut",
    "UnsupportedMediaType",
    "access_rule",
    "answer_model",
    "api_router",
    "canonical_email",
    "clean",
    "cors_middleware",
    "deleted_response",
    "deleted_status",
    "envelope_of",
    "etag",
    "failure_response",
    "field_errors",
    "idempotency_key",
    "install_problem_handlers",
    "is_json",
    "json_pointer",
    "parse_if_match",
    "partial",
    "problem_body",
    "problem_components",
    "problem_of",
    "problem_responses",
    "public",
    "read_json",
    "require_json",
    "route_template",
    "rules_of",
    "unbounded_strings",
    "wrap",
]
