"""Parsers of request bodies that survive malformed and hostile input."""

import json
from typing import IO, Any

from django.http.multipartparser import MultiPartParser as DjangoMultiPartParser
from django.http.multipartparser import MultiPartParserError
from django.utils.http import parse_header_parameters
from django.utils.translation import gettext as _
from rest_framework import exceptions, parsers

from classification.api.request_bodies.limits import content_length
from classification.api.request_bodies.part_headers import ReadablePartHeaders

NAMELESS = "photo"


class JSONParser(parsers.JSONParser):
    """DRF's JSON parser, with a 400 instead of a 500 for JSON nested thousands deep, and for half a
    character, such as "\\ud83d" alone, which no answer and no table could repeat."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        try:
            data = super().parse(*args, **kwargs)
            json.dumps(data, ensure_ascii=False).encode()
        except RecursionError:
            raise exceptions.ParseError(_("The JSON is nested too deeply.")) from None
        except UnicodeEncodeError:
            raise exceptions.ParseError(_("The JSON contains half a character.")) from None
        return data


class _NamelessFileParser(DjangoMultiPartParser):
    """Django's parser, which drops files whose names it cannot sanitize; here they get a name,
    since no name is ever used as a path."""

    def sanitize_file_name(self, file_name: str) -> str:
        return super().sanitize_file_name(file_name) or NAMELESS


class MultiPartParser(parsers.MultiPartParser):
    """DRF's multipart parser, for any spelling of the content type and of file names."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Any = None,
    ) -> "parsers.DataAndFiles[Any, Any]":
        request = parser_context["request"]
        kind, separator, parameters = (media_type or "").partition(";")
        content_type = kind.lower() + separator + parameters
        meta = request.META | {"CONTENT_TYPE": content_type}
        try:
            boundary = parse_header_parameters(content_type)[1].get("boundary", "")
            body = ReadablePartHeaders(stream, boundary.encode("ascii", "replace"))
            form = _NamelessFileParser(
                meta, body, request.upload_handlers, parser_context.get("encoding")
            )
            found = parsers.DataAndFiles(*form.parse())
            # The client is gone: its photos would be paid for, and nobody waits for the answer.
            if body.length < content_length(meta):
                raise MultiPartParserError("it is cut short")
            return found
        except (MultiPartParserError, ValueError) as error:
            message = _("The form cannot be read: %(reason)s")
            raise exceptions.ParseError(message % {"reason": error}) from None
