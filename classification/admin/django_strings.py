"""Strings of Django's admin that its own Chinese lacks, for makemessages to find."""

from django.utils.translation import gettext_noop

MISSING = (
    gettext_noop("Model name"),
    gettext_noop("Add link"),
    gettext_noop("Change or view list link"),
    gettext_noop("After you’ve created a user, you’ll be able to edit more user options."),
)
