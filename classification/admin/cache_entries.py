"""The admin of cache entries: search, correct, purge, mark for re-classification."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classification.admin.entry_actions import EntryActions
from classification.admin.filters import CorrectedFilter, PromptFilter, ProviderFilter
from classification.images import HASH
from classification.models import CORRECTION_FIELDS, CacheEntry, DeclaredHash
from classification.templatetags.figures import provider_name, yuan
from core.admin import EditForm

ANSWER = (
    "image_hash",
    "percent",
    "provider_name",
    "model_used",
    "prompt_version",
    "model_response",
    "input_tokens",
    "output_tokens",
    "price",
    "cost_is_exact",
)
CORRECTION = ("model_category", "model_description", "corrected", "corrected_at", "reviewed_at")
USE = ("hit_count", "created_at", "last_hit_at", "is_pending", "requests", "declarations")

# Characters of a description in a row of the list.
MAX_DESCRIPTION = 80


@admin.register(CacheEntry)
class CacheEntryAdmin(EntryActions):
    form = EditForm
    list_display = (
        "short_hash",
        "category",
        "percent",
        "short_description",
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
    columns_without_index = ("confidence", "corrected_at")
    download_columns = (
        "image_hash",
        "category",
        "confidence",
        "description",
        "model_used",
        "prompt_version",
        "hit_count",
        "cost",
        "model_category",
        "corrected",
        "corrected_at",
        "created_at",
        "last_hit_at",
    )
    search_fields = ("image_hash", "description")
    search_help_text = gettext_lazy("Start of a photo's hash, or words from a description")
    list_select_related = ("corrected_by", "correcting_app")
    actions = ("mark_ask_again", "unmark_ask_again", "purge")
    fieldsets = (
        (gettext_lazy("Correct"), {"fields": ("category", "description")}),
        (gettext_lazy("Corrected"), {"fields": CORRECTION}),
        (gettext_lazy("Answer"), {"fields": ANSWER}),
        (gettext_lazy("Usage"), {"fields": USE}),
    )
    readonly_fields = (*CORRECTION, *ANSWER, *USE)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CacheEntry | None = None) -> bool:
        return False  # purging asks first what to do with corrected entries

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> CacheEntry | None:
        """Also finds an entry by its photo hash, for links from the log and the test page."""
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
        """Save a correction; saving also invalidates the hot entry."""
        user: Any = request.user
        entry, corrected = form.current, form.cleaned_data
        if "description" in form.changed_data:
            entry.describe(corrected["description"], by=user)
        if "category" in form.changed_data:
            entry.correct(corrected["category"], by=user)
        if form.changed_data:
            # Hits are counted meanwhile, so only what was changed is written.
            entry.save(update_fields=CORRECTION_FIELDS)
        obj.refresh_from_db()

    @admin.display(description=gettext_lazy("photo hash"), ordering="image_hash")
    def short_hash(self, entry: CacheEntry) -> str:
        return f"{(entry.image_hash or '')[:12]}…"

    @admin.display(description=gettext_lazy("description"))
    def short_description(self, entry: CacheEntry) -> str:
        """The beginning of the description; the entry's page has all of it."""
        return Truncator(entry.description or "–").chars(MAX_DESCRIPTION)

    @admin.display(description=gettext_lazy("pending re-classification"))
    def is_pending(self, entry: CacheEntry) -> str:
        return _("yes") if entry.ask_again else _("no")

    @admin.display(description=gettext_lazy("confidence"), ordering="confidence")
    def percent(self, entry: CacheEntry) -> str:
        return "–" if entry.confidence is None else f"{entry.confidence:.1%}"

    @admin.display(description=gettext_lazy("provider"))
    def provider_name(self, entry: CacheEntry) -> str:
        return provider_name(entry.provider) or "–"

    @admin.display(description=gettext_lazy("cost"))
    def price(self, entry: CacheEntry) -> str:
        return yuan(entry.cost) if entry.cost else "–"

    @admin.display(description=gettext_lazy("corrected by"), ordering="corrected_at")
    def corrected(self, entry: CacheEntry) -> str:
        return entry.corrector if entry.corrected_at else "–"

    @admin.display(description=gettext_lazy("request log"))
    def requests(self, entry: CacheEntry) -> SafeString:
        address = reverse("admin:classification_requestlog_changelist")
        return format_html(
            '<a href="{}?image_hash={}">{}</a>', address, entry.image_hash, _("View requests")
        )

    @admin.display(description=gettext_lazy("declared hashes"))
    def declarations(self, entry: CacheEntry) -> str:
        """How many declarations of original files' hashes lead to this entry; does not name
        users."""
        found = DeclaredHash.objects.filter(image_hash=entry.image_hash).aggregate(
            hashes=Count("declared_hash", distinct=True), declarations=Count("pk")
        )
        return _("%(hashes)s, declared %(declarations)s times") % found if found["hashes"] else "–"
