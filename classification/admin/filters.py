"""Filters of the admin's lists, which do not query large tables for their choices."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classification.choices import OK, PROVIDERS, Source
from classification.models import CacheEntry, PromptVersion, RequestLog


class CorrectedFilter(admin.SimpleListFilter):
    title = gettext_lazy("correction")
    parameter_name = "corrected"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", _("yes")), ("no", _("no"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[CacheEntry]
    ) -> QuerySet[CacheEntry]:
        if self.value() is None:
            return queryset
        return queryset.filter(corrected_at__isnull=self.value() == "no")


class CountedFilter(admin.SimpleListFilter):
    """The requests that are behind a figure of the dashboard."""

    title = gettext_lazy("counted as")
    parameter_name = "counted"
    ROWS: dict[str, tuple[Any, Q]] = {
        "hits": (gettext_lazy("Hits"), Q(from_cache=True)),
        "misses": (gettext_lazy("Misses"), Q(from_cache=False, outcome=OK)),
        "failures": (gettext_lazy("Failures"), ~Q(outcome=OK)),
        "answers": (gettext_lazy("Answers"), ~Q(category="") & ~Q(source=Source.NONE)),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, label) for name, (label, _rows) in self.ROWS.items()]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[RequestLog]
    ) -> QuerySet[RequestLog]:
        value = self.value()
        return queryset.filter(self.ROWS[value][1]) if value in self.ROWS else queryset


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
        known = version.isascii() and version.isdigit()
        return queryset.filter(prompt_version=version) if known else queryset


class ProviderFilter(admin.SimpleListFilter):
    title = gettext_lazy("provider")
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(PROVIDERS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(provider=value) if value in PROVIDERS else queryset
