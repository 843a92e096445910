"""The base of the admin's lists: restricted lookups, validated actions, and downloads."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from core.audit import record
from core.csv_files import stream_csv

# The lookups of the admin's own filters. Others would come from a crafted URL: a regular expression
# can keep a worker busy for hours.
FILTER_LOOKUPS = {"exact", "gte", "lt", "isnull"}
DOWNLOAD_PAGE_ROWS = 2000


class StrictAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Lists that can only be filtered by their own filters and links."""

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        kind = lookup.rpartition("__")[2] if "__" in lookup else "exact"
        return kind in FILTER_LOOKUPS and bool(super().lookup_allowed(lookup, value, request))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, titled with its model's name instead of Django's "Select … to change"."""
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Run the chosen action, unless a selected id is invalid, which Django answers with a
        500."""
        try:
            for selected in request.POST.getlist(helpers.ACTION_CHECKBOX_NAME):
                self.model._meta.pk.clean(selected, None)
        except ValidationError:
            sentence = _("Nothing was done: a selected row does not exist.")
            self.message_user(request, sentence, messages.ERROR)
            return None
        return super().response_action(request, queryset, *args, **kwargs)


class DownloadableAdmin(StrictAdmin):
    """Lists whose filtered rows can be downloaded by everybody who may see them."""

    # Names of fields, or of methods of the ModelAdmin.
    download_columns: Sequence[str] = ()

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_download"
        view = self.admin_site.admin_view(self.download)
        return [path("download/", view, name=name), *super().get_urls()]

    def download(self, request: HttpRequest) -> StreamingHttpResponse:
        """Every row of the list as CSV, the latest first."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters as error:
            raise BadRequest("invalid filter") from error
        heading = [label_for_field(name, self.model, self) for name in self.download_columns]
        record(request.user, self.model, _("Downloaded"))
        return stream_csv(str(self.opts.model_name), heading, self._download_rows(rows))

    def _download_rows(self, rows: QuerySet[Any]) -> Iterator[list[Any]]:
        """Reads page by page: MariaDB's client would load all rows into memory."""
        rows = rows.order_by("-pk")
        page = list(rows[:DOWNLOAD_PAGE_ROWS])
        while page:
            for row in page:
                yield [lookup_field(name, row, self)[2] for name in self.download_columns]
            page = list(rows.filter(pk__lt=page[-1].pk)[:DOWNLOAD_PAGE_ROWS])
