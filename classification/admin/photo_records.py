"""The base of the request log's and the ledger's admin, each row of which is about a photo."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classification.admin.tables import LongChangeList, ReadOnlyAdmin
from classification.models import STAFF_ID, CacheEntry, ModelCall, RequestLog
from classification.templatetags.figures import yuan
from clients.directory import directory


class LinkedChangeList(LongChangeList):
    """Annotates its rows with whether their photos have a cache entry, with one query."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        hashes = {row.image_hash for row in self.result_list} - {""}
        entries = CacheEntry.objects.filter(image_hash__in=hashes)
        known = set(entries.values_list("image_hash", flat=True))
        for row in self.result_list:
            row.has_entry = row.image_hash in known


class PhotoRecordAdmin(ReadOnlyAdmin):
    """Shows the app, the cost and the cache entry of each row."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LinkedChangeList

    @admin.display(description=gettext_lazy("app"))
    def app_name(self, row: RequestLog | ModelCall) -> str:
        if row.app_id is None or row.app_id == STAFF_ID:
            return _("Staff's trials")
        try:
            return directory.app(row.app_id).name
        except KeyError:  # it has just been made, or never was
            return str(row.app_id)

    @admin.display(description=gettext_lazy("cost"), ordering="cost")
    def price(self, row: RequestLog | ModelCall) -> str:
        return yuan(row.cost) if row.cost else "–"

    @admin.display(description=gettext_lazy("cache entry"))
    def entry(self, row: RequestLog | ModelCall) -> SafeString | str:
        """A link to the photo's cache entry; the hash without a link if there is none."""
        image_hash = row.image_hash
        if not image_hash:
            return "–"
        has_entry: bool | None = getattr(row, "has_entry", None)
        if has_entry is None:
            has_entry = CacheEntry.objects.filter(image_hash=image_hash).exists()
        if not has_entry:
            title = _("No answer is cached for this photo.")
            return format_html('<span class="quiet" title="{}">{}…</span>', title, image_hash[:12])
        address = reverse("admin:classification_cacheentry_change", args=[image_hash])
        return format_html('<a href="{}">{}…</a>', address, image_hash[:12])
