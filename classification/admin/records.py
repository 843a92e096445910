"""The request log, the ledger of model calls and the prompt's versions, to be read only."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classification.admin.filters import SOURCES, OutcomeFilter, SourceFilter
from classification.admin.tables import ReadOnlyAdmin, entry_link
from classification.models import ModelCall, PromptVersion, RequestLog
from classification.templatetags.figures import milliseconds, outcome_name, yuan


@admin.register(RequestLog)
class RequestLogAdmin(ReadOnlyAdmin):
    list_display = (
        "at",
        "request_id",
        "category",
        "result",
        "user_id",
        "time_taken",
        "price",
        "entry",
    )
    list_filter = ("category", SourceFilter, OutcomeFilter, "created_at")
    search_fields = ("=request_id", "=user_id", "=image_hash")
    search_help_text = gettext_lazy("A whole request id, user id or photo hash")
    fields = (
        "request_id",
        "at",
        "category",
        "confidence",
        "result",
        "time_taken",
        "price",
        "money_saved",
        "user_id",
        "ip_address",
        "image_hash",
        "image_size",
        "entry",
        "calls",
    )
    readonly_fields = fields

    @admin.display(description=gettext_lazy("result"))
    def result(self, row: RequestLog) -> str:
        """Where the answer came from, or why there is none."""
        source = str(SOURCES.get(row.source, ""))
        if row.outcome == "ok":
            return source or outcome_name("ok")
        reason = f"{outcome_name(row.outcome)} ({row.outcome})"
        return f"{source}: {reason}" if source else reason

    @admin.display(description=gettext_lazy("processing time"))
    def time_taken(self, row: RequestLog) -> str:
        return milliseconds(row.processing_time_ms)

    @admin.display(description=gettext_lazy("cost"))
    def price(self, row: RequestLog) -> str:
        return yuan(row.cost) if row.cost else "–"

    @admin.display(description=gettext_lazy("saved"))
    def money_saved(self, row: RequestLog) -> str:
        return yuan(row.saved) if row.saved else "–"

    @admin.display(description=gettext_lazy("cache entry"))
    def entry(self, row: RequestLog) -> SafeString | str:
        return entry_link(row.image_hash)

    @admin.display(description=gettext_lazy("model calls"))
    def calls(self, row: RequestLog) -> SafeString:
        address = reverse("admin:classification_modelcall_changelist")
        return format_html('<a href="{}?q={}">{}</a>', address, row.request_id, _("Its calls"))


@admin.register(ModelCall)
class ModelCallAdmin(ReadOnlyAdmin):
    list_display = (
        "at",
        "model",
        "result",
        "billed",
        "input_tokens",
        "output_tokens",
        "price",
        "time_taken",
        "entry",
    )
    list_filter = ("billed", "created_at")
    search_fields = ("=request_id", "=provider_request_id")
    search_help_text = gettext_lazy("A whole request id, ours or the provider's")
    fields = (
        "request",
        "at",
        "model",
        "result",
        "billed",
        "input_tokens",
        "output_tokens",
        "price",
        "time_taken",
        "provider_request_id",
        "image_hash",
        "entry",
    )
    readonly_fields = fields

    @admin.display(description=gettext_lazy("result"))
    def result(self, call: ModelCall) -> str:
        return outcome_name(call.outcome)

    @admin.display(description=gettext_lazy("processing time"))
    def time_taken(self, call: ModelCall) -> str:
        return milliseconds(call.duration_ms)

    @admin.display(description=gettext_lazy("cost"))
    def price(self, call: ModelCall) -> str:
        return yuan(call.cost) if call.cost else "–"

    @admin.display(description=gettext_lazy("cache entry"))
    def entry(self, call: ModelCall) -> SafeString | str:
        return entry_link(call.image_hash)

    @admin.display(description=gettext_lazy("request"))
    def request(self, call: ModelCall) -> SafeString:
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
