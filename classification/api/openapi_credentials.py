"""How the OpenAPI schema describes the credentials of clients."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.authentication import SessionScheme, TokenScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension


class AppCredentials(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """An app's key in X-API-Key, or a bearer token: the key, a user's token, or a staff token."""

    target_class = "classification.api.authentication.AppAuthentication"
    match_subclasses = True
    name = ["appKey", "bearer"]

    def get_security_requirement(self, auto_schema: Any) -> Any:
        # One of them is enough; within one object they would be needed together.
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> Any:
        return [
            {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            {"type": "http", "scheme": "bearer"},
        ]


class StaffSessionScheme(SessionScheme):  # type: ignore[no-untyped-call]
    """The session of the staff's pages."""

    target_class = "classification.api.authentication.StaffSessionAuthentication"
    name = "staffSession"


class StaffTokenScheme(TokenScheme):  # type: ignore[no-untyped-call]
    """The token of a staff member."""

    target_class = "classification.api.staff_tokens.StaffTokenAuthentication"
    name = "staffToken"
    priority = 1  # before TokenScheme, whose words are not translated

    def get_security_definition(self, auto_schema: Any) -> Any:
        definition = super().get_security_definition(auto_schema)  # type: ignore[no-untyped-call]
        return definition | {"description": _("A staff token, with Token or Bearer before it.")}
