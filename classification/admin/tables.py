"""How long tables are listed: millions of rows, the latest first, nothing that counts them all."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _


class FirstRowsPaginator(Paginator):  # type: ignore[type-arg]
    """Pages through the first rows only: counting a log of millions takes seconds."""

    ROWS = 10_000

    @cached_property
    def count(self) -> int:
        first_rows: Any = self.object_list[: self.ROWS]
        return int(first_rows.count())


class LongTableAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Millions of rows, the latest first, and nothing that counts them all."""

    ordering = ("-pk",)
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = FirstRowsPaginator

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = {"title": self.opts.verbose_name_plural}
        return super().changelist_view(request, (extra_context or {}) | title)

    @admin.display(description=_("time"), ordering="pk")
    def at(self, row: Any) -> str:
        return localtime(row.created_at).strftime("%Y-%m-%d %H:%M:%S")


class ReadOnlyAdmin(LongTableAdmin):
    """Rows that are looked at and never changed by hand."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def entry_link(image_hash: str) -> SafeString | str:
    """A link to the cache entry of a photo, which may be gone by now."""
    if not image_hash:
        return "–"
    address = reverse("admin:classification_cacheentry_change", args=[image_hash])
    return format_html('<a href="{}">{}…</a>', address, image_hash[:12])
