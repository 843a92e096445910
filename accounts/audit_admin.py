"""The admin of the audit log, with filters and download."""

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.admin import DownloadableAdmin


@admin.register(LogEntry)
class AuditAdmin(DownloadableAdmin):
    """Django's admin log, read-only."""

    date_hierarchy = None
    list_display = ("action_time", "user", "content_type", "object_repr", "message")
    list_filter = ("action_flag", "action_time", "user", "content_type")
    search_fields = ("object_repr", "change_message")
    list_select_related = ("user", "content_type")
    show_full_result_count = False
    actions = None
    download_columns = ("action_time", "user", "content_type", "object_repr", "message")
    fields = ("action_time", "user", "content_type", "object_repr", "message")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: LogEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LogEntry | None = None) -> bool:
        return False

    @admin.display(description=_("what was done"))
    def message(self, entry: LogEntry) -> str:
        return entry.get_change_message() or entry.get_action_flag_display()
