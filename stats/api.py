"""The figures as JSON, for staff."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response

from classification.api.bodies import stamp
from classification.api.schemas import Stamped, error_responses, framework_errors
from stats import cache_totals, queries
from stats.tail import exactly
from stats.users import top_users

MAX_USERS = 100
MAX_DAYS = 366
REFUSALS = {
    **error_responses("database_unavailable", "statistics_behind", "internal_error"),
    **framework_errors(not_authenticated=401, permission_denied=403),
}


class TodayBody(Stamped):
    data = serializers.DictField()


class RowsBody(Stamped):
    data = serializers.ListField(child=serializers.DictField())


class TopUsers(serializers.Serializer[Any]):
    limit = serializers.IntegerField(
        min_value=1, max_value=MAX_USERS, default=20, help_text="The most that are given."
    )


class LastDays(serializers.Serializer[Any]):
    days = serializers.IntegerField(
        min_value=1, max_value=MAX_DAYS, default=30, help_text="The last so many, today included."
    )


class StatsViewSet(viewsets.ViewSet):
    """Figures for staff, by session or by token."""

    permission_classes = [IsAdminUser]

    @extend_schema(summary="Today", responses={200: OpenApiResponse(TodayBody), **REFUSALS})
    @action(detail=False)
    def today(self, request: Request) -> Response:
        return _answer(exactly(queries.today))

    @extend_schema(summary="The cache", responses={200: OpenApiResponse(TodayBody), **REFUSALS})
    @action(detail=False, url_path="cache-efficiency")
    def cache_efficiency(self, request: Request) -> Response:
        totals = cache_totals.current()
        return _answer(exactly(lambda tail: queries.efficiency(tail, totals)))

    @extend_schema(summary="Categories", responses={200: OpenApiResponse(RowsBody), **REFUSALS})
    @action(detail=False, url_path="category-distribution")
    def category_distribution(self, request: Request) -> Response:
        return _answer(exactly(queries.categories))

    @extend_schema(
        summary="Top users",
        parameters=[TopUsers],
        responses={
            200: OpenApiResponse(RowsBody),
            **REFUSALS,
            **error_responses("invalid_request"),
        },
    )
    @action(detail=False, url_path="users/top")
    def top_users(self, request: Request) -> Response:
        limit = _parameter(TopUsers, request, "limit")
        return _answer(exactly(lambda tail: top_users(tail, limit)))

    @extend_schema(
        summary="Day by day",
        parameters=[LastDays],
        responses={
            200: OpenApiResponse(RowsBody),
            **REFUSALS,
            **error_responses("invalid_request"),
        },
    )
    @action(detail=False)
    def trend(self, request: Request) -> Response:
        days = _parameter(LastDays, request, "days")
        return _answer(exactly(lambda tail: queries.trend(tail, days)))

    @extend_schema(
        summary="Failures by code",
        parameters=[LastDays],
        responses={
            200: OpenApiResponse(RowsBody),
            **REFUSALS,
            **error_responses("invalid_request"),
        },
    )
    @action(detail=False)
    def errors(self, request: Request) -> Response:
        days = _parameter(LastDays, request, "days")
        return _answer(exactly(lambda tail: queries.errors(tail, days)))


def _parameter(serializer: type[serializers.Serializer[Any]], request: Request, name: str) -> int:
    parameters = serializer(data=request.query_params)
    parameters.is_valid(raise_exception=True)
    value: int = parameters.validated_data[name]
    return value


def _answer(data: Any) -> Response:
    return Response({"success": True, "data": _numbers(data)} | stamp())


def _numbers(value: Any) -> Any:
    """The value with its decimals as JSON numbers and its times in ISO 8601."""
    if isinstance(value, dict):
        return {key: _number(key, item) for key, item in value.items()}
    return [_numbers(item) for item in value]


def _number(key: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal | float):
        return round(float(value), 6 if "cost" in key else 4 if "confidence" in key else 2)
    return value
