"""The admin of cache entries, the request log, the ledger and prompt versions."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from classification.admin import cache_entries, records

__all__ = ["cache_entries", "records"]

admin.site.site_title = admin.site.site_header = _("Photo classification")
admin.site.index_title = _("Data")
admin.site.enable_nav_sidebar = False
