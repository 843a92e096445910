"""The API's documentation pages: Swagger UI and Redoc, with a plain list for browsers without
scripts."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.plumbing import get_relative_url, set_query_parameters
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from classifier_project.api_docs_words import REDOC, SWAGGER_UI, translate_words

Schema = dict[str, Any]
# Credentials are not checked, so a wrong one does not lock anybody out of the documentation.
PUBLIC: list[Any] = []


@dataclass(frozen=True)
class Field:
    """A field of a request or a response; `name` is a path such as items[].image_hash."""

    name: str
    kind: str
    required: bool
    description: str


@dataclass(frozen=True)
class Operation:
    """One HTTP method of one path, as the schema describes it."""

    name: str
    method: str
    path: str
    summary: str
    description: str
    sent: list[Field]
    answered: list[Field]
    refusals: list[tuple[str, str]]


class SchemaView(SpectacularAPIView):
    """The OpenAPI schema as a file; `?lang=` chooses its language."""

    authentication_classes = PUBLIC

    def _get_filename(self, request: Request, version: str) -> str:
        # The title is Chinese, which a header cannot hold.
        renderer, _media_type = self.perform_content_negotiation(request, force=True)
        return f"openapi.{renderer.format}"


class OperationListMixin:
    """Adds to the template the list of operations, which Swagger UI or Redoc replaces where scripts
    run, and the tool's own words."""

    authentication_classes = PUBLIC
    schema = None  # not part of the API itself
    words: tuple[str, ...]  # of the tool

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[misc]
        if "title" in response.data:  # the page, not Swagger UI's script
            response.data["schema_url"] = self._get_schema_url(request)
            response.data["operations"] = read_operations(translation.get_language())
            response.data["words"] = translate_words(self.words)
        return response

    def _get_schema_url(self, request: Request) -> str:
        # The API follows the browser's language; this page follows the language switch.
        address = get_relative_url(reverse("schema", request=request))
        located: str = set_query_parameters(address, lang=translation.get_language())
        return located


class DocsView(OperationListMixin, SpectacularSwaggerSplitView):  # type: ignore[misc]
    """Swagger UI, for trying the API."""

    words = SWAGGER_UI


class RedocView(OperationListMixin, SpectacularRedocView):  # type: ignore[misc]
    """Redoc, for reading about the API."""

    words = REDOC


@functools.cache
def read_operations(language: str) -> list[Operation]:
    """Every operation of the schema in this language; cached, since generating the schema is
    slow."""
    with translation.override(language):
        schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return [
        _read_operation(method, path, described, schema)
        for path, methods in schema["paths"].items()
        for method, described in methods.items()
    ]


def _read_operation(method: str, path: str, described: Schema, schema: Schema) -> Operation:
    answers = described["responses"].items()
    return Operation(
        name=described["operationId"],
        method=method.upper(),
        path=path,
        summary=described.get("summary", ""),
        description=described.get("description", ""),
        sent=[
            *(_read_parameter(parameter) for parameter in described.get("parameters", [])),
            *_read_body(described.get("requestBody", {}), schema),
        ],
        answered=[
            field
            for status, answer in answers
            if status.startswith("2")
            for field in _read_body(answer, schema)
        ],
        refusals=sorted(
            (status, answer["description"])
            for status, answer in answers
            if not status.startswith("2")
        ),
    )


def _read_parameter(parameter: Schema) -> Field:
    return Field(
        name=parameter["name"],
        kind=f"{_kind(parameter['schema'])} ({parameter['in']})",
        required=parameter.get("required", False),
        description=parameter.get("description", ""),
    )


def _read_body(body: Schema, schema: Schema) -> list[Field]:
    # All content types of a body have the same fields.
    for content in body.get("content", {}).values():
        return list(_read_fields(content.get("schema", {}), schema, ""))
    return []


def _read_fields(described: Schema, schema: Schema, prefix: str) -> Iterator[Field]:
    resolved = _resolve(described, schema)
    for name, value in resolved.get("properties", {}).items():
        inner = _resolve(value, schema)
        yield Field(
            name=prefix + name,
            kind=_kind(inner),
            required=name in resolved.get("required", []),
            description=value.get("description", ""),
        )
        yield from _read_fields(inner, schema, f"{prefix}{name}.")
        yield from _read_fields(inner.get("items", {}), schema, f"{prefix}{name}[].")


def _resolve(described: Schema, schema: Schema) -> Schema:
    """The schema behind a $ref, or inside an allOf or oneOf wrapper."""
    if reference := described.get("$ref"):
        found: Schema = schema["components"]["schemas"][reference.rsplit("/", 1)[1]]
        return found
    for wrapper in ("allOf", "oneOf"):
        if wrapper in described:
            return _resolve(described[wrapper][0], schema)
    return described


def _kind(described: Schema) -> str:
    if "enum" in described:
        return " | ".join(map(str, described["enum"]))
    return str(described.get("format") or described.get("type", "any"))
