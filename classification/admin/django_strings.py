"""Strings of Django and DRF that have no Chinese translation, or a poor one.

Listed here for makemessages: this project's catalogue overrides theirs.
"""

from django.utils.translation import gettext_noop, ngettext_lazy

STRINGS = (
    # the admin
    gettext_noop("Model name"),
    gettext_noop("Add link"),
    gettext_noop("Change or view list link"),
    gettext_noop("After you’ve created a user, you’ll be able to edit more user options."),
    gettext_noop("Add %s"),
    gettext_noop("Add %(name)s"),
    gettext_noop("Change %s"),
    gettext_noop("View %s"),
    gettext_noop(" By %(filter_title)s "),
    gettext_noop("Clear selection"),
    gettext_noop("Clear all filters"),
    gettext_noop("Delete selected %(verbose_name_plural)s"),
    gettext_noop("Select all %(total_count)s %(module_name)s"),
    ngettext_lazy("%(total_count)s selected", "All %(total_count)s selected"),
    gettext_noop("History"),
    gettext_noop("Recent actions"),
    gettext_noop("My actions"),
    gettext_noop("Change history: %s"),
    gettext_noop("Go"),
    gettext_noop("log entry"),
    gettext_noop("log entries"),
    # accounts and their tokens
    gettext_noop("Authentication and Authorization"),
    gettext_noop("Auth Token"),
    gettext_noop("Token"),
    gettext_noop("Tokens"),
    gettext_noop("Key"),
    gettext_noop("Staff status"),
    gettext_noop("Superuser status"),
    gettext_noop("First name"),
    gettext_noop("Last name"),
    gettext_noop("Email address"),
    gettext_noop("User permissions"),
    ngettext_lazy(
        "This password is too short. It must contain at least %d character.",
        "This password is too short. It must contain at least %d characters.",
    ),
)
