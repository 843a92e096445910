"""Admin lists of tables with millions of rows: latest first, without counting all rows."""

from collections.abc import Collection
from typing import Any

from django.contrib import admin
from django.contrib.admin import helpers
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from core.admin import DownloadableAdmin


class FirstRowsPaginator(Paginator):  # type: ignore[type-arg]
    """Paginates the first ROWS rows only: counting a log of millions takes seconds."""

    ROWS = 10_000

    @cached_property
    def count(self) -> int:
        first_rows: Any = self.object_list[: self.ROWS]
        return int(first_rows.count())


class LongChangeList(ChangeList):
    """Links to older rows, and limits how many rows are sorted without an index."""

    # Without an index, only the latest rows are sorted, or all rows of the chosen time range.
    SORTED_ROWS = 100_000
    is_cut = False
    model_admin: "LongTableAdmin"

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        rows = super().get_queryset(request, *args, **kwargs)
        sorted_by = str(rows.query.order_by[0]).lstrip("-")
        has_range = "created_at__gte" in self.params
        if sorted_by in self.model_admin.columns_without_index and not has_range:
            latest = self.model._default_manager.order_by("-pk").values_list("pk", flat=True)
            self.is_cut = True
            return rows.filter(pk__gt=(latest.first() or 0) - self.SORTED_ROWS)
        return rows

    @property
    def older_rows(self) -> str:
        """On the last page, the query string for the rows after it; "" otherwise."""
        is_full = self.result_count == FirstRowsPaginator.ROWS and self.result_list
        is_last_page = self.page_num == self.paginator.num_pages
        if not (is_full and is_last_page and self.queryset.query.order_by[0] == "-pk"):
            return ""
        return self.get_query_string({"id__lt": list(self.result_list)[-1].pk}, [PAGE_VAR])


class LongTableAdmin(DownloadableAdmin):
    """The base of lists with millions of rows."""

    ordering = ("-pk",)
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = FirstRowsPaginator
    columns_without_index: Collection[str] = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LongChangeList

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Run the chosen action; with "select all", on exactly the rows that were listed."""
        if request.POST.get("select_across") == "1":
            queryset = self.model._default_manager.filter(pk__in=selected_rows(request, queryset))
        return super().response_action(request, queryset, *args, **kwargs)

    @admin.display(description=_("time"), ordering="pk")
    def at(self, row: Any) -> str:
        return localtime(row.created_at).strftime("%Y-%m-%d %H:%M:%S")


def selected_rows(request: HttpRequest, rows: QuerySet[Any]) -> list[int]:
    """The ids of all listed rows, or of those that the confirmation page listed."""
    shown = request.POST.get("exactly", "")
    if shown:
        return [int(pk) for pk in shown.split(",") if pk.isascii() and pk.isdigit()]
    return list(rows.values_list("pk", flat=True)[: FirstRowsPaginator.ROWS])


def selection(request: HttpRequest, rows: QuerySet[Any]) -> dict[str, Any]:
    """The context for a confirmation page to submit the same rows again, whatever is added
    meanwhile."""
    is_across = request.POST.get("select_across") == "1"
    return {
        "selected": request.POST.getlist(helpers.ACTION_CHECKBOX_NAME),
        "across": int(is_across),
        "exactly": ",".join(map(str, rows.values_list("pk", flat=True))) if is_across else "",
    }


class ReadOnlyAdmin(LongTableAdmin):
    """Lists whose rows cannot be changed."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
