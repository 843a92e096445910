"""Repairs the content type of a request before Django parses it."""

import re

from django.utils.http import parse_header_parameters

_DOUBTFUL_PARAMETERS = re.compile(r";\s*([^=;]*\*[^=;]*|charset\s*)=[^;]*", re.IGNORECASE)


def readable_content_type(content_type: str) -> str:
    """The header, without parameters that name no encoding of text, such as `charset=rot13` and
    `a*=nowhere''b`: Django fails on them with a 500."""
    for attempt in (content_type, _DOUBTFUL_PARAMETERS.sub("", content_type)):
        try:
            parameters = parse_header_parameters(attempt)[1]
            "".encode(parameters.get("charset", "utf-8"))
        except (LookupError, ValueError):
            continue
        return attempt
    return content_type.partition(";")[0]
