"""Serializers that validate the statistics' queries, and document and render their responses."""

from datetime import MAXYEAR, MINYEAR, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from classification.api.responses import SuccessResponse
from clients.models import App
from stats import ranges
from stats.ranges import TimeRange

MAX_USERS = 100
MAX_DAYS = 366
MAX_POINTS = 1500


class TopUsersQuery(serializers.Serializer[Any]):
    limit = serializers.IntegerField(
        min_value=1, max_value=MAX_USERS, default=20, help_text=_("The maximum number of users.")
    )


class TrendQuery(serializers.Serializer[Any]):
    days = serializers.IntegerField(
        min_value=1,
        max_value=MAX_DAYS,
        default=30,
        help_text=_("The number of days, including today."),
    )


class MinuteField(serializers.DateTimeField):
    """A local time, truncated to the minute."""

    def to_internal_value(self, value: Any) -> datetime:
        at = super().to_internal_value(value)
        return timezone.make_naive(at).replace(second=0, microsecond=0)

    def enforce_timezone(self, value: datetime) -> datetime:
        if not MINYEAR < value.year < MAXYEAR:  # the days around it must be dates, too
            self.fail("overflow")
        return super().enforce_timezone(value)


class RangeQuery(serializers.Serializer[Any]):
    last = serializers.ChoiceField(
        ranges.NAMES, required=False, help_text=_("A range up to now, instead of start and end.")
    )
    start = MinuteField(required=False, help_text=_("Truncated to whole minutes."))
    end = MinuteField(required=False, help_text=_("The first minute that is not included."))
    step = serializers.ChoiceField(
        ranges.STEPS,
        required=False,
        help_text=_("The length of a point; by default chosen by the range."),
    )
    app = serializers.SlugRelatedField(
        slug_field="name",
        queryset=App.objects.all(),
        required=False,
        help_text=_("The name of one app: its figures are of whole days, and not by category."),
    )

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Give the `range`, its `step`, and the `app` or None."""
        if ("last" in data) == ("start" in data and "end" in data):
            raise serializers.ValidationError(_("Give either last, or both start and end."))
        wanted = (
            TimeRange.named(data["last"])
            if "last" in data
            else TimeRange(data["start"], data["end"])
        )
        if wanted.start >= wanted.end:
            raise serializers.ValidationError(_("start must be before end."))
        app = data.get("app")
        step = data.get("step", "day" if app else wanted.step)
        if app and step != "day":
            raise serializers.ValidationError(_("The figures of an app are by the day."))
        if wanted.count(step) > MAX_POINTS:
            raise serializers.ValidationError(
                _("This makes more than %(count)s points.") % {"count": MAX_POINTS}
            )
        return {"range": wanted, "step": step, "app": app}


class RoundedField(serializers.FloatField):
    """A JSON number rounded to `places` decimal places."""

    def __init__(self, places: int = 2, **kwargs: Any) -> None:
        self.places = places
        super().__init__(**kwargs)

    def to_representation(self, value: Decimal | float) -> Any:
        return round(float(value), self.places)


class YuanField(RoundedField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(places=6, **kwargs)


class LocalTimeField(serializers.DateTimeField):
    """A time in ISO 8601 with the offset of TIME_ZONE."""

    def to_representation(self, value: datetime) -> str:
        if timezone.is_naive(value):  # what the wall clock shows
            value = timezone.make_aware(value)
        return timezone.localtime(value).isoformat()


class RequestSums(serializers.Serializer[Any]):
    total_requests = serializers.IntegerField()
    cache_hits = serializers.IntegerField()
    cache_misses = serializers.IntegerField()
    cache_hit_rate = RoundedField(help_text=_("Percent."))
    avg_processing_time_ms = RoundedField()
    estimated_cost = YuanField(help_text=_("Yuan."))
    cost_saved = YuanField(help_text=_("Yuan."))
    failed_requests = serializers.IntegerField()


class RequestFigures(RequestSums):
    unique_users = serializers.IntegerField()
    unique_ips = serializers.IntegerField()


class PointFigures(RequestSums):
    start = LocalTimeField(help_text=_("The start of this minute, hour or day."))


class TodayFigures(RequestFigures):
    perhaps_billed_calls = serializers.IntegerField(
        help_text=_("Calls that were cut off and may be on the bill.")
    )
    perhaps_billed_cost = YuanField(help_text=_("Yuan; the maximum cost of those calls."))


class DayFigures(RequestFigures):
    date = serializers.DateField()
    p95_processing_time_ms = serializers.IntegerField(help_text=_("The 95th percentile."))


class CacheFigures(serializers.Serializer[Any]):
    total_cached_images = serializers.IntegerField()
    total_hits = serializers.IntegerField()
    times_saved = serializers.IntegerField(
        help_text=_("Hits, without the requests that created entries.")
    )
    cost_saved = YuanField(help_text=_("Yuan."))
    avg_hit_per_image = RoundedField()
    max_hits = serializers.IntegerField()
    corrected_images = serializers.IntegerField()


class CategoryFigures(serializers.Serializer[Any]):
    category = serializers.CharField()
    count = serializers.IntegerField()
    percentage = RoundedField()
    avg_confidence = RoundedField(places=4)


class UserFigures(serializers.Serializer[Any]):
    user_id = serializers.CharField()
    request_count = serializers.IntegerField()
    cache_hits = serializers.IntegerField()
    cache_hit_rate = RoundedField(help_text=_("Percent."))
    first_request = LocalTimeField()
    last_request = LocalTimeField()


class ErrorFigures(serializers.Serializer[Any]):
    error_code = serializers.CharField()
    count = serializers.IntegerField()


class RangeData(serializers.Serializer[Any]):
    start = LocalTimeField()
    end = LocalTimeField(help_text=_("The first minute that is not included."))
    step = serializers.ChoiceField(ranges.STEPS)
    sums = RequestSums()
    points = PointFigures(many=True)
    categories = CategoryFigures(many=True, allow_null=True)
    errors = ErrorFigures(many=True)


class RangeResponse(SuccessResponse):
    data = RangeData()


class AppDaysFigures(serializers.Serializer[Any]):
    app = serializers.CharField()
    total_requests = serializers.IntegerField()
    cache_hits = serializers.IntegerField()
    cache_hit_rate = RoundedField(help_text=_("Percent."))
    new_photos = serializers.IntegerField()
    failed_requests = serializers.IntegerField()
    estimated_cost = YuanField(help_text=_("Yuan."))
    cost_saved = YuanField(help_text=_("Yuan."))


class AppsResponse(SuccessResponse):
    data = AppDaysFigures(many=True)


class TodayResponse(SuccessResponse):
    data = TodayFigures()


class CacheEfficiencyResponse(SuccessResponse):
    data = CacheFigures()


class CategoryDistributionResponse(SuccessResponse):
    data = CategoryFigures(many=True)


class TopUsersResponse(SuccessResponse):
    data = UserFigures(many=True)


class TrendResponse(SuccessResponse):
    data = DayFigures(many=True)


class ErrorsResponse(SuccessResponse):
    data = ErrorFigures(many=True)
