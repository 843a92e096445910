"""The forms of the test page and the prompt page."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from classification.categories import CATEGORIES
from classification.models import PromptVersion

MIN_PROMPT_LENGTH = 50
MAX_PROMPT_LENGTH = 8000
MAX_VERSION = 2**31 - 1


class PhotoForm(forms.Form):
    image = forms.FileField(allow_empty_file=True)


class CorrectionForm(forms.Form):
    """A new category for a cached photo. `seen` is the category that the page showed, and `request`
    the id of the request that it shows."""

    hash = forms.CharField(max_length=64)
    category = forms.ChoiceField(choices=[(category.key, category.key) for category in CATEGORIES])
    seen = forms.CharField(max_length=50, required=False)
    request = forms.CharField(max_length=64, required=False)


class VersionField(forms.IntegerField):
    """The number of an existing prompt version."""

    widget = forms.HiddenInput

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_VERSION, **options)

    def clean(self, value: Any) -> int | None:
        version: int | None = super().clean(value)
        if version and not PromptVersion.objects.filter(version=version).exists():
            raise ValidationError(_("There is no such version."))
        return version


class PromptForm(forms.Form):
    """A draft; validates that it names all categories and asks for JSON."""

    text = forms.CharField(
        label=_("Prompt"),
        min_length=MIN_PROMPT_LENGTH,
        max_length=MAX_PROMPT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 20, "spellcheck": "false"}),
    )
    restored_from = VersionField(required=False)

    def clean_text(self) -> str:
        # Browsers submit line breaks as CR LF.
        text: str = self.cleaned_data["text"].replace("\r\n", "\n")
        missing = [c for c in CATEGORIES if not re.search(rf"\b{c.key}\b", text, re.ASCII)]
        errors = [
            ValidationError(
                _("The key %(key)s (%(name)s) is missing: the model could never choose it."),
                params={"key": category.key, "name": category.name},
            )
            for category in missing
        ]
        if "json" not in text.lower():
            errors.append(
                ValidationError(
                    _("The word JSON is missing: without it, the model may answer in prose.")
                )
            )
        if errors:
            raise ValidationError(errors)
        return text


class PublishForm(PromptForm):
    """A valid draft, the version it is based on, and what to do with answers to older versions."""

    OLDER = [("keep", _("Keep")), ("unknown", _("Invalidate older answers now"))]

    based_on = VersionField()
    older = forms.ChoiceField(choices=OLDER, widget=forms.RadioSelect)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].widget = forms.HiddenInput()


class TrialForm(PhotoForm):
    """A draft, and one photo to try it on."""

    text = forms.CharField(max_length=MAX_PROMPT_LENGTH)
