"""Every text that a client sends has a maximum length.

A field without a limit takes a body of as many megabytes as the edge lets through: into the row, its audit line, its
event, and every list that shows it; and where an index covers it, PostgreSQL refuses what is longer than a third of a
page with an error that no client can understand. A `ResourceRouter` refuses such schemas at start; this finds those of
hand-written routes too.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema

from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import CheckedProject
from tenantry.http import InputSchema
from tenantry.http import unbounded_strings as places_of

NAME = "unbounded-string"


def check(project: CheckedProject) -> Iterator[Finding]:
    """Yield the input schemas with texts of any length; an inherited text is reported where it is declared."""
    inputs = project.application.inputs if project.application else ()
    for located in inputs:
        model = located.value
        try:
            places = set(places_of(model)) - _inherited(model)
        except PydanticInvalidForJsonSchema as error:
            reason = (
                f"{model.__name__} cannot be described as JSON Schema, so its limits are not known: {error.message}"
            )
            yield Finding(NAME, located.place, reason, "give the type a JSON schema (WithJsonSchema)")
            continue
        if places:
            yield Finding(
                NAME,
                located.place,
                f"{model.__name__} takes text of any length in {', '.join(sorted(places))}",
                "use ShortText, LongText, Email, Slug, or Annotated[str, MaxLen(…)]",
            )


def _inherited(model: type[BaseModel]) -> set[str]:
    bases = [base for base in model.__bases__ if issubclass(base, InputSchema) and base is not InputSchema]
    return {place for base in bases for place in places_of(base)}
