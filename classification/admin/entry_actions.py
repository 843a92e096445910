"""Bulk actions on cache entries: with a confirmation page, and recorded in the audit log."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from classification.admin.tables import LongTableAdmin, selection
from classification.models import CacheEntry
from classification.pipeline import answer_cache
from core.audit import record
from core.database.batches import delete_in_batches


class EntryActions(LongTableAdmin):
    """Actions: mark entries stale, unmark them, purge them."""

    def has_purge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("classification.purge_cacheentry")

    @admin.action(
        description=gettext_lazy("Re-classify at the next upload"),
        permissions=["change", "purge"],
    )
    def mark_ask_again(
        self, request: HttpRequest, queryset: QuerySet[CacheEntry]
    ) -> HttpResponse | None:
        """Mark entries stale. Photos are not stored, so the model is asked at the next upload."""
        if "confirmed" not in request.POST:
            return self._ask(request, queryset, "admin/ask_again.html", _("Mark entries stale"))
        hashes = list(queryset.filter(corrected_at=None).values_list("image_hash", flat=True))
        # The condition is repeated in the UPDATE, to spare entries that are corrected meanwhile.
        marked = CacheEntry.objects.filter(image_hash__in=hashes, corrected_at=None).update(
            ask_again=True
        )
        answer_cache.invalidate(hashes)
        record(request.user, CacheEntry, _("Marked stale: %(count)s") % {"count": marked})
        message = ngettext(
            "%(count)d entry marked stale: its photo is classified again when uploaded.",
            "%(count)d entries marked stale: their photos are classified again when uploaded.",
            marked,
        )
        self.message_user(request, message % {"count": marked})
        if kept := queryset.exclude(corrected_at=None).count():
            message = ngettext(
                "%(count)d entry corrected by a person was kept.",
                "%(count)d entries corrected by a person were kept.",
                kept,
            )
            self.message_user(request, message % {"count": kept}, messages.WARNING)
        return None

    @admin.action(
        description=gettext_lazy("Serve the cached answer again, without re-classification"),
        permissions=["change", "purge"],
    )
    def unmark_ask_again(self, request: HttpRequest, queryset: QuerySet[CacheEntry]) -> None:
        """Unmark entries whose photos have not been uploaded since."""
        hashes = list(queryset.filter(ask_again=True).values_list("image_hash", flat=True))
        pending = CacheEntry.objects.filter(image_hash__in=hashes, ask_again=True)
        unmarked = pending.update(ask_again=False)
        answer_cache.invalidate(hashes)
        record(request.user, CacheEntry, _("No longer stale: %(count)s") % {"count": unmarked})
        message = ngettext(
            "%(count)d entry is served from the cache again.",
            "%(count)d entries are served from the cache again.",
            unmarked,
        )
        self.message_user(request, message % {"count": unmarked})

    @admin.action(description=gettext_lazy("Purge"), permissions=["purge"])
    def purge(self, request: HttpRequest, queryset: QuerySet[CacheEntry]) -> HttpResponse | None:
        """Delete entries after confirmation; corrected ones only on request."""
        if "confirmed" not in request.POST:
            return self._ask(request, queryset, "admin/purge.html", _("Purge cache entries"))
        doomed = queryset
        if "corrected" not in request.POST:
            doomed = doomed.filter(corrected_at=None)
        removed = sum(delete_in_batches(doomed))
        record(request.user, CacheEntry, _("Purged: %(count)s") % {"count": removed})
        message = ngettext("%(count)d entry removed.", "%(count)d entries removed.", removed)
        self.message_user(request, message % {"count": removed})
        return None

    def _ask(
        self, request: HttpRequest, queryset: QuerySet[CacheEntry], template: str, title: str
    ) -> HttpResponse:
        """The confirmation page: how many entries, of which kind, and what their answers cost."""
        corrected: Any = queryset.exclude(corrected_at=None)
        free = queryset.filter(corrected_at=None)
        context = self.admin_site.each_context(request) | {
            "title": title,
            "opts": self.opts,
            "count": queryset.count(),
            "corrected": corrected.count(),
            "cost": queryset.aggregate(cost=Sum("cost", default=0))["cost"],
            "cost_again": free.aggregate(cost=Sum("cost", default=0))["cost"],
            "selection": selection(request, queryset),
        }
        return render(request, template, context)
