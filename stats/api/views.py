"""The statistics as JSON, for staff."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response

from classification.api.openapi import error_responses
from classification.api.responses import SuccessResponse
from clients.models import App
from stats.api.serializers import (
    AppsResponse,
    CacheEfficiencyResponse,
    CategoryDistributionResponse,
    ErrorsResponse,
    RangeQuery,
    RangeResponse,
    TodayResponse,
    TopUsersQuery,
    TopUsersResponse,
    TrendQuery,
    TrendResponse,
)
from stats.figures import current_figures
from stats.ranges import MinutesUnavailable
from stats.rollup import cache_totals


def _documented(
    summary: Promise,
    response: type[SuccessResponse],
    query: type[serializers.Serializer[Any]] | None = None,
) -> Callable[[Any], Any]:
    codes = ["invalid_request"] if query else []
    codes += ["database_unavailable", "statistics_behind", "internal_error"]
    codes += ["not_authenticated", "permission_denied", "throttled"]
    return extend_schema(
        summary=summary,
        description=_("Figures for staff, by session or by token."),
        parameters=[query] if query else [],
        responses={200: response, **error_responses(*codes)},
    )


MINUTES_UNAVAILABLE = _(
    "Hourly figures are kept as long as the request log: an older range has to start and end at "
    "midnight."
)


class StatsViewSet(viewsets.ViewSet):
    """Figures for staff, by session or by token."""

    permission_classes = [IsAdminUser]

    @_documented(_("Today"), TodayResponse)
    @action(detail=False)
    def today(self, request: Request) -> Response:
        with current_figures() as figures:
            return _rendered(TodayResponse, figures.today())

    @_documented(_("The cache"), CacheEfficiencyResponse)
    @action(detail=False, url_path="cache-efficiency")
    def cache_efficiency(self, request: Request) -> Response:
        totals = cache_totals.current()
        with current_figures() as figures:
            return _rendered(CacheEfficiencyResponse, figures.cache_efficiency(totals))

    @_documented(_("Categories"), CategoryDistributionResponse)
    @action(detail=False, url_path="category-distribution")
    def category_distribution(self, request: Request) -> Response:
        with current_figures() as figures:
            return _rendered(CategoryDistributionResponse, figures.categories())

    @_documented(_("Top users"), TopUsersResponse, TopUsersQuery)
    @action(detail=False, url_path="users/top")
    def top_users(self, request: Request) -> Response:
        limit = _validated(TopUsersQuery, request)["limit"]
        with current_figures() as figures:
            return _rendered(TopUsersResponse, figures.top_users(limit))

    @_documented(_("Day by day"), TrendResponse, TrendQuery)
    @action(detail=False)
    def trend(self, request: Request) -> Response:
        days = _validated(TrendQuery, request)["days"]
        with current_figures() as figures:
            return _rendered(TrendResponse, figures.trend(days))

    @_documented(_("Any range, by the minute, hour or day"), RangeResponse, RangeQuery)
    @action(detail=False)
    def range(self, request: Request) -> Response:
        query = _validated(RangeQuery, request)
        with current_figures() as figures:
            if query["app"]:
                days = query["range"].touched_days
                return _rendered(RangeResponse, figures.app_range(query["app"].pk, *days))
            try:
                return _rendered(RangeResponse, figures.of(query["range"], query["step"]))
            except MinutesUnavailable:
                raise ValidationError(MINUTES_UNAVAILABLE) from None

    @_documented(_("By app"), AppsResponse, TrendQuery)
    @action(detail=False)
    def apps(self, request: Request) -> Response:
        days = _validated(TrendQuery, request)["days"]
        last = timezone.localdate()
        names = dict(App.objects.values_list("pk", "name"))
        with current_figures() as figures:
            rows = figures.apps(last - timedelta(days=days - 1), last)
        return _rendered(
            AppsResponse, [{"app": names.get(row["app_id"], ""), **row} for row in rows]
        )

    @_documented(_("Failures by code"), ErrorsResponse, TrendQuery)
    @action(detail=False)
    def errors(self, request: Request) -> Response:
        days = _validated(TrendQuery, request)["days"]
        with current_figures() as figures:
            return _rendered(ErrorsResponse, figures.errors(days))


def _validated(query: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    parameters = query(data=request.query_params)
    parameters.is_valid(raise_exception=True)
    data: dict[str, Any] = parameters.validated_data
    return data


def _rendered(response: type[SuccessResponse], data: Any) -> Response:
    return Response(response({"data": data}).data)
