"""The form in which staff correct a cache entry, and which may stay open for hours."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from classification.models import CacheEntry

MAX_SHOWN = 80  # characters of a description


class CorrectionForm(forms.ModelForm):  # type: ignore[type-arg]
    """Submits the initial values as well, so that only edited fields are saved, and none over a
    change that was made since.

    A valid form has the entry as `current`, locked until the request's transaction ends.
    """

    current: CacheEntry

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.show_hidden_initial = True

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        entry = CacheEntry.objects.select_for_update().filter(pk=self.instance.pk).first()
        if entry is None:
            raise ValidationError(_("This entry was purged meanwhile; nothing was saved."))
        self.current = entry
        for name in self.changed_data:
            now = getattr(entry, name)
            if _plain(now) not in (self._seen(name), _plain(cleaned.get(name))):
                shown = entry.get_category_display() if name == "category" else now or "–"
                sentence = _("This is “%(now)s” by now. Reload the page to go on from there.")
                self.add_error(name, sentence % {"now": Truncator(shown).chars(MAX_SHOWN)})
        return cleaned

    def _seen(self, name: str) -> str:
        return _plain(self.data.get(self.add_initial_prefix(name)))


def _plain(text: str | None) -> str:
    """A text without the changes that browsers and forms make to line breaks and outer blanks."""
    return "\n".join((text or "").split("\r\n")).strip()
