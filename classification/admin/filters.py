"""What the lists of the admin are narrowed down by, without looking for values in the tables."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classification.errors import ERRORS
from classification.models import CacheEntry, PromptVersion

SOURCES = {
    "cache": gettext_lazy("from the cache"),
    "llm": gettext_lazy("from the model"),
    "local": gettext_lazy("from the on-device model"),
    "none": gettext_lazy("no answer"),
}


class CorrectedFilter(admin.SimpleListFilter):
    title = gettext_lazy("corrected by a person")
    parameter_name = "corrected"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", _("yes")), ("no", _("no"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[CacheEntry]
    ) -> QuerySet[CacheEntry]:
        if self.value() is None:
            return queryset
        return queryset.filter(corrected_at__isnull=self.value() == "no")


class PromptFilter(admin.SimpleListFilter):
    title = gettext_lazy("prompt version")
    parameter_name = "prompt"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        versions = PromptVersion.objects.order_by("-version").values_list("version", flat=True)
        return [(str(version), f"v{version}") for version in versions[:20]]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[CacheEntry]
    ) -> QuerySet[CacheEntry]:
        version = self.value() or ""
        return queryset.filter(prompt_version=version) if version.isdigit() else queryset


def known_values(column: str, label: Any, values: dict[str, Any]) -> type[admin.SimpleListFilter]:
    """A filter of a column by these values, without looking for others in the table."""

    class KnownValuesFilter(admin.SimpleListFilter):
        title = label
        parameter_name = column

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
            return list(values.items())

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            value = self.value()
            return queryset.filter(**{column: value}) if value in values else queryset

    return KnownValuesFilter


ProviderFilter = known_values(
    "provider",
    gettext_lazy("provider"),
    {"aliyun": "DashScope", "local": gettext_lazy("on-device model")},
)
SourceFilter = known_values("source", gettext_lazy("source"), SOURCES)
OutcomeFilter = known_values(
    "outcome",
    gettext_lazy("outcome"),
    {"ok": gettext_lazy("answered")} | {code: sentence for code, (_, sentence) in ERRORS.items()},
)
