"""Endpoints about the app itself: issuing tokens for its users, and usage against its limits."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from classification.api.authentication import AppAPIView, identity_of, own_key
from classification.api.client_info import client_info
from classification.api.openapi import error_responses
from classification.api.responses import SuccessResponse
from classification.api.serializers import UserIdField
from classification.billing import app_limits
from clients import quotas, tokens
from clients.directory import AppInfo
from core.money import MILLION

ERROR_RESPONSES = error_responses(
    "database_unavailable", "internal_error", "not_authenticated", "throttled"
)


class TokenRequest(serializers.Serializer[Any]):
    user_id = UserIdField(required=True, help_text=_("The user the token is for."))
    ttl_seconds = serializers.IntegerField(min_value=60, max_value=86_400, default=3600)


class TokenResponse(SuccessResponse):
    token = serializers.CharField(help_text=_("Sent as Authorization: Bearer."))
    user_id = serializers.CharField()
    expires_at = serializers.DateTimeField()


class UsedBody(serializers.Serializer[Any]):
    used = serializers.FloatField(min_value=0)
    limit = serializers.FloatField(min_value=0, allow_null=True)


class UsageData(serializers.Serializer[Any]):
    app = serializers.CharField()
    user_id = serializers.CharField(allow_null=True)
    day = serializers.DateField(help_text=_("The local day of the service."))
    new_photos = UsedBody()
    cost = UsedBody(help_text=_("Yuan."))
    user_new_photos = UsedBody()


class UsageResponse(SuccessResponse):
    data = UsageData()


class TokenView(AppAPIView):
    """Issues tokens for an app's users; called by the app's server."""

    @extend_schema(
        operation_id="create_token",
        summary=_("Make a token for one of your users"),
        description=_("Called by the app's server, with the app's key."),
        request=TokenRequest,
        responses={
            200: OpenApiResponse(TokenResponse),
            **error_responses("invalid_request"),
            **ERROR_RESPONSES,
        },
    )
    def post(self, request: Request) -> Response:
        key = own_key(request)
        body = TokenRequest(data=request.data)
        body.is_valid(raise_exception=True)
        user_id = body.validated_data["user_id"]
        token, expires_at = tokens.issue(key, user_id, body.validated_data["ttl_seconds"])
        moment = datetime.fromtimestamp(expires_at, timezone.get_current_timezone())
        made = TokenResponse({"token": token, "user_id": user_id, "expires_at": moment})
        return Response(made.data)


class UsageView(AppAPIView):
    """Today's usage of an app, and of one of its users, against the daily limits."""

    @extend_schema(
        operation_id="usage",
        summary=_("Usage against today's limits"),
        responses={200: OpenApiResponse(UsageResponse), **ERROR_RESPONSES},
    )
    def get(self, request: Request) -> Response:
        requester, user_id = identity_of(request), client_info(request).requester.user_id
        if requester.key is None and not request.user.is_staff:
            raise exceptions.NotAuthenticated
        return Response(UsageResponse({"data": _usage(requester.app, user_id)}).data)


def _usage(app: AppInfo, user_id: str | None) -> dict[str, Any]:
    counted = app_limits.usage(app)
    user_limit = app.user_new_photos_per_day
    by_user = quotas.user_usage(app.id, user_id) if user_id and user_limit is not None else 0
    cost_limit = None if app.cost_per_day is None else app.cost_per_day / MILLION
    return {
        "app": app.name,
        "user_id": user_id,
        "day": counted.day,
        "new_photos": {"used": counted.new_photos, "limit": app.new_photos_per_day},
        "cost": {"used": counted.cost / MILLION, "limit": cost_limit},
        "user_new_photos": {"used": by_user, "limit": user_limit},
    }
