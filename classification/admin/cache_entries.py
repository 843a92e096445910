"""Cache entries: looked up, corrected, purged, marked to be asked again."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from classification.admin.filters import CorrectedFilter, PromptFilter, ProviderFilter
from classification.admin.tables import LongTableAdmin
from classification.models import CacheEntry
from classification.photos import HASH
from classification.templatetags.figures import yuan

PURGE_BATCH = 500
ANSWER = (
    "image_hash",
    "percent",
    "provider",
    "model_used",
    "prompt_version",
    "model_response",
    "input_tokens",
    "output_tokens",
    "price",
)
CORRECTION = ("model_category", "corrected_by", "corrected_at")
USE = ("hit_count", "created_at", "last_hit_at", "ask_again", "requests")


@admin.register(CacheEntry)
class CacheEntryAdmin(LongTableAdmin):
    list_display = (
        "short_hash",
        "category",
        "percent",
        "description",
        "model_used",
        "prompt_version",
        "hit_count",
        "corrected",
        "at",
    )
    list_filter = (
        "category",
        CorrectedFilter,
        "ask_again",
        ProviderFilter,
        PromptFilter,
        "created_at",
    )
    search_fields = ("image_hash", "description")
    search_help_text = gettext_lazy("The beginning of a photo's hash, or words of a description")
    list_select_related = ("corrected_by",)
    actions = ("mark_ask_again", "purge")
    fieldsets = (
        (gettext_lazy("Correct"), {"fields": ("category", "description")}),
        (gettext_lazy("Corrected"), {"fields": CORRECTION}),
        (gettext_lazy("Answer"), {"fields": ANSWER}),
        (gettext_lazy("Use"), {"fields": USE}),
    )
    readonly_fields = (*CORRECTION, *ANSWER, *USE)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CacheEntry | None = None) -> bool:
        return False  # purging asks first what to do with corrected entries

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> CacheEntry | None:
        """By the photo's hash too, for links from the log and from the test page."""
        if HASH.fullmatch(object_id):
            return CacheEntry.objects.filter(image_hash=object_id.lower()).first()
        return super().get_object(request, object_id, from_field)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CacheEntry], search_term: str
    ) -> tuple[QuerySet[CacheEntry], bool]:
        term = search_term.strip().lower()
        if not term:
            return queryset, False
        if set(term) <= set("0123456789abcdef"):
            return queryset.filter(image_hash__startswith=term), False
        return queryset.filter(description__icontains=term), False

    def save_model(self, request: HttpRequest, obj: CacheEntry, form: Any, change: bool) -> None:
        """Save a person's correction; saving tells the hot entries to forget the old answer."""
        category = obj.category
        obj.category = form.initial["category"]
        if category != obj.category:
            obj.correct(category, by=request.user)  # type: ignore[arg-type]
        obj.save()

    @admin.display(description=gettext_lazy("photo hash"), ordering="image_hash")
    def short_hash(self, entry: CacheEntry) -> str:
        return f"{entry.image_hash[:12]}…"

    @admin.display(description=gettext_lazy("confidence"), ordering="confidence")
    def percent(self, entry: CacheEntry) -> str:
        return f"{entry.confidence:.1%}"

    @admin.display(description=gettext_lazy("cost"))
    def price(self, entry: CacheEntry) -> str:
        return yuan(entry.cost) if entry.cost else "–"

    @admin.display(description=gettext_lazy("corrected by"), ordering="corrected_at")
    def corrected(self, entry: CacheEntry) -> str:
        return str(entry.corrected_by or _("yes")) if entry.corrected_at else "–"

    @admin.display(description=gettext_lazy("request log"))
    def requests(self, entry: CacheEntry) -> SafeString:
        address = reverse("admin:classification_requestlog_changelist")
        return format_html(
            '<a href="{}?image_hash={}">{}</a>', address, entry.image_hash, _("Its requests")
        )

    @admin.action(description=gettext_lazy("Ask again when the photo comes back"))
    def mark_ask_again(self, request: HttpRequest, queryset: QuerySet[CacheEntry]) -> None:
        """Photos are never stored, so the model is asked at the next upload."""
        marked = 0
        for entry in queryset.filter(corrected_at=None).iterator():
            entry.ask_again = True
            entry.save(update_fields=["ask_again"])
            marked += 1
        message = ngettext(
            "%(count)d entry counts as unknown until its photo is uploaded again.",
            "%(count)d entries count as unknown until their photos are uploaded again.",
            marked,
        )
        self.message_user(request, message % {"count": marked})
        if kept := queryset.exclude(corrected_at=None).count():
            message = ngettext(
                "%(count)d entry was corrected by a person and stays.",
                "%(count)d entries were corrected by a person and stay.",
                kept,
            )
            self.message_user(request, message % {"count": kept}, messages.WARNING)

    @admin.action(description=gettext_lazy("Purge"), permissions=["change"])
    def purge(self, request: HttpRequest, queryset: QuerySet[CacheEntry]) -> HttpResponse | None:
        """Remove entries after a second look; corrected ones only when asked for."""
        if "confirmed" not in request.POST:
            return self._ask_whether_to_purge(request, queryset)
        doomed = queryset
        if "corrected" not in request.POST:
            doomed = doomed.filter(corrected_at=None)
        removed = 0
        while batch := list(doomed.order_by("pk").values_list("pk", flat=True)[:PURGE_BATCH]):
            removed += CacheEntry.objects.filter(pk__in=batch).delete()[0]
        message = ngettext("%(count)d entry removed.", "%(count)d entries removed.", removed)
        self.message_user(request, message % {"count": removed})
        return None

    def _ask_whether_to_purge(
        self, request: HttpRequest, queryset: QuerySet[CacheEntry]
    ) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": _("Purge cache entries"),
            "opts": self.model._meta,
            "count": queryset.count(),
            "corrected": queryset.exclude(corrected_at=None).count(),
            "cost": queryset.aggregate(cost=Sum("cost"))["cost"],
            "selected": request.POST.getlist("_selected_action"),
            "across": request.POST.get("select_across", "0"),
        }
        return render(request, "admin/purge.html", context)
