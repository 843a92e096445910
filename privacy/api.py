"""`DELETE /users/<user_id>` and `GET /users/<user_id>/export`: an app for its own users, staff for
any."""

from itertools import chain
from typing import Any, NamedTuple

from django.http import StreamingHttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from classification.api.authentication import AppAPIView, identity_of, own_key
from classification.api.openapi import error_responses
from classification.api.responses import SuccessResponse, stamp
from clients.models import App
from privacy import rights
from privacy.people import Person

USER_ID = OpenApiParameter(
    "user_id", str, OpenApiParameter.PATH, description=_("As the app sends it.")
)
APP = OpenApiParameter("app", str, description=_("For staff: of this app, instead of all of them."))
ERROR_RESPONSES = error_responses(
    "invalid_request",
    "database_unavailable",
    "internal_error",
    "not_authenticated",
    "permission_denied",
    "not_found",
    "throttled",
)


class ErasureData(serializers.Serializer[Any]):
    receipt = serializers.IntegerField(help_text=_("The number of the receipt."))
    rows = serializers.DictField(
        child=serializers.IntegerField(), help_text=_("The number of rows to be deleted, by kind.")
    )


class ErasureResponse(SuccessResponse):
    data = ErasureData()


class Asked(NamedTuple):
    """A request about a person; `staff` is the staff user who made it, if any."""

    person: Person
    requested_by: str
    staff: Any = None


class UserView(AppAPIView):
    """Forgetting a user."""

    @extend_schema(
        operation_id="forget_user",
        summary=_("Forget a user"),
        description=_(
            "Everything that identifies the user is deleted within a minute, including requests "
            "that arrive until then. Sums of past days do not change. Repeating the request is "
            "harmless."
        ),
        parameters=[USER_ID, APP],
        responses={202: OpenApiResponse(ErasureResponse), **ERROR_RESPONSES},
    )
    def delete(self, request: Request, user_id: str) -> Response:
        asked = _asked(request, user_id, "privacy.forget_person")
        erasure, rows = rights.begin_erasure(asked.person, asked.requested_by, asked.staff)
        answer = ErasureResponse({"data": {"receipt": erasure.pk, "rows": rows}})
        return Response(answer.data, status=202)


class UserExportView(UserView):
    """Exporting everything that is stored about a user."""

    @extend_schema(exclude=True)
    def delete(self, request: Request, user_id: str) -> Response:
        """Forget a user whose id ends in `/export`."""
        return super().delete(request, f"{user_id}/export")

    @extend_schema(
        operation_id="export_user",
        summary=_("Export what is stored about a user"),
        parameters=[USER_ID, APP],
        responses={200: OpenApiTypes.OBJECT, **ERROR_RESPONSES},
    )
    def get(self, request: Request, user_id: str) -> Any:
        asked = _asked(request, user_id, "privacy.find_person")
        pieces = rights.begin_export(asked.person, asked.staff, {"success": True, **stamp()})
        # Evaluates the first piece, so that an immediate failure becomes an error response.
        streamed = chain([next(pieces)], pieces)
        return StreamingHttpResponse(streamed, content_type="application/json")


def _asked(request: Request, user_id: str, permission: str) -> Asked:
    """Authorize and parse a request. Raises APIException, including ValidationError."""
    if getattr(request.user, "is_staff", False):
        if not request.user.has_perm(permission):
            raise exceptions.PermissionDenied
        app_id = _app_id(request.query_params.get("app"))
        return Asked(Person.named(user_id, app_id), request.user.get_username(), request.user)
    app = identity_of(request).app
    own_key(request)
    return Asked(Person.named(user_id, app.id), f"app {app.name}")


def _app_id(name: str | None) -> int | None:
    if name is None:
        return None
    app = App.objects.filter(name=name).first()
    if app is None:
        raise exceptions.NotFound
    return app.pk
