"""The read-only admin of the request log, the ledger and prompt versions."""

import re
from datetime import datetime, timedelta, timezone

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classification.admin.criteria import LedgerFilter, LogFilter
from classification.admin.filters import CountedFilter, ProviderFilter
from classification.admin.photo_records import PhotoRecordAdmin
from classification.admin.tables import ReadOnlyAdmin
from classification.choices import DAILY_LIMIT, OK, Source
from classification.models import CallFailure, ModelCall, PromptVersion, RequestLog
from classification.monitoring.outage_advice import TEXTS
from classification.templatetags.figures import milliseconds, outcome_name, provider_name, yuan

REQUEST_ID = re.compile(r"req_([0-9]{10})_[0-9a-f]{12}")
# A row is written seconds after its request; leaves room for daylight saving changes.
WITHIN = timedelta(hours=2)


@admin.register(RequestLog)
class RequestLogAdmin(PhotoRecordAdmin):
    list_display = (
        "at",
        "request_id",
        "app_name",
        "category",
        "result",
        "user_id",
        "time_taken",
        "price",
        "entry",
    )
    list_filter = (LogFilter, CountedFilter)
    columns_without_index = ("processing_time_ms", "cost")
    download_columns = (
        "created_at",
        "request_id",
        "app_name",
        "user_id",
        "ip_address",
        "image_hash",
        "image_size",
        "category",
        "confidence",
        "outcome",
        "source",
        "processing_time_ms",
        "cost",
        "saved",
    )
    search_fields = ("=request_id", "=user_id", "=image_hash")
    search_help_text = gettext_lazy("Full request ID, user ID or photo hash")
    fields = (
        "request_id",
        "at",
        "category",
        "percent",
        "result",
        "time_taken",
        "price",
        "money_saved",
        "app_name",
        "user_id",
        "ip_address",
        "image_hash",
        "image_size",
        "entry",
        "calls",
    )
    readonly_fields = fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[RequestLog], search_term: str
    ) -> tuple[QuerySet[RequestLog], bool]:
        """A request id contains its time in seconds, so its row is found by the index on times."""
        found = REQUEST_ID.fullmatch(search_term.strip())
        if found is None:
            return super().get_search_results(request, queryset, search_term)
        second = datetime.fromtimestamp(int(found[1]), tz=timezone.utc)
        times = (second - WITHIN, second + WITHIN)
        return queryset.filter(request_id=found[0], created_at__range=times), False

    @admin.display(description=gettext_lazy("result"))
    def result(self, row: RequestLog) -> str:
        """The source of the answer, or the reason for the failure."""
        if row.outcome == OK:
            return str(dict(Source.choices).get(row.source) or outcome_name(OK))
        reason = _("%(reason)s (%(code)s)") % {
            "reason": _cause_name(row.reason) or outcome_name(row.outcome).rstrip(".。"),
            "code": row.outcome,
        }
        if row.source == Source.LOCAL:
            return _("served by the on-device model, because: %(reason)s") % {"reason": reason}
        return reason

    @admin.display(description=gettext_lazy("confidence"))
    def percent(self, row: RequestLog) -> str:
        is_known = row.category and row.confidence is not None
        return f"{row.confidence:.1%}" if is_known else "–"

    @admin.display(description=gettext_lazy("processing time"), ordering="processing_time_ms")
    def time_taken(self, row: RequestLog) -> str:
        return milliseconds(row.processing_time_ms)

    @admin.display(description=gettext_lazy("saved"))
    def money_saved(self, row: RequestLog) -> str:
        return yuan(row.saved) if row.saved else "–"

    @admin.display(description=gettext_lazy("model calls"))
    def calls(self, row: RequestLog) -> SafeString:
        address = reverse("admin:classification_modelcall_changelist")
        return format_html('<a href="{}?q={}">{}</a>', address, row.request_id, _("View calls"))


@admin.register(ModelCall)
class ModelCallAdmin(PhotoRecordAdmin):
    list_display = (
        "at",
        "app_name",
        "provider_name",
        "model",
        "result",
        "billed",
        "input_tokens",
        "cached_tokens",
        "output_tokens",
        "price",
        "cost_is_exact",
        "time_taken",
        "entry",
    )
    list_filter = (LedgerFilter, ProviderFilter)
    columns_without_index = ("duration_ms", "cost")
    download_columns = (
        "created_at",
        "request_id",
        "app_name",
        "provider",
        "model",
        "outcome",
        "billed",
        "input_tokens",
        "cached_tokens",
        "output_tokens",
        "cost",
        "cost_is_exact",
        "duration_ms",
        "provider_request_id",
        "image_hash",
    )
    search_fields = ("=request_id", "=provider_request_id")
    search_help_text = gettext_lazy("Full request ID, ours or the provider's")
    fields = (
        "request",
        "at",
        "app_name",
        "provider_name",
        "model",
        "result",
        "billed",
        "input_tokens",
        "cached_tokens",
        "output_tokens",
        "price",
        "cost_is_exact",
        "time_taken",
        "provider_request_id",
        "provider_said",
        "raw_reply",
        "image_hash",
        "entry",
    )
    readonly_fields = fields

    @admin.display(description=gettext_lazy("result"))
    def result(self, call: ModelCall) -> str:
        return outcome_name(call.outcome)

    @admin.display(description=gettext_lazy("provider"))
    def provider_name(self, call: ModelCall) -> str:
        return provider_name(call.provider) or "–"

    @admin.display(description=gettext_lazy("processing time"), ordering="duration_ms")
    def time_taken(self, call: ModelCall) -> str:
        return milliseconds(call.duration_ms)

    @admin.display(description=gettext_lazy("provider's reply"))
    def provider_said(self, call: ModelCall) -> str:
        """The provider's own error: status, code and message."""
        failure = _failure_of(call)
        if failure is None:
            return "–"
        status = f"HTTP {failure.status}" if failure.status else ""
        return " · ".join(filter(None, (status, failure.code, failure.message))) or "–"

    @admin.display(description=gettext_lazy("unreadable answer"))
    def raw_reply(self, call: ModelCall) -> SafeString | str:
        failure = _failure_of(call)
        return format_html("<pre>{}</pre>", failure.reply) if failure and failure.reply else "–"

    @admin.display(description=gettext_lazy("request"))
    def request(self, call: ModelCall) -> SafeString:
        """A link to the request, unless it is not in the log: staff trials, and purged rows."""
        if not RequestLog.objects.filter(request_id=call.request_id).exists():
            return format_html("{}", call.request_id)
        address = reverse("admin:classification_requestlog_changelist")
        return format_html('<a href="{}?q={}">{}</a>', address, call.request_id, call.request_id)


@admin.register(PromptVersion)
class PromptVersionAdmin(ReadOnlyAdmin):
    list_display = (
        "version",
        "author",
        "at",
        "restored_from",
        "accepted_from",
        "on_page",
    )

    @admin.display(description=gettext_lazy("prompt page"))
    def on_page(self, prompt: PromptVersion) -> SafeString:
        address = reverse("prompt-version", args=[prompt.version])
        return format_html('<a href="{}">{}</a>', address, _("Compare or restore"))


def _cause_name(reason: str) -> str:
    """The cause of a failure, in a few words; "" if unknown."""
    if reason == DAILY_LIMIT:
        return _("the daily limit has been reached")
    text = TEXTS.get(reason)
    return _(text.title) if text else ""


def _failure_of(call: ModelCall) -> CallFailure | None:
    return CallFailure.objects.filter(call_id=call.call_id).first() if call.call_id else None
