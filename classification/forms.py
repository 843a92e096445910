"""What staff fill in on the test page and on the prompt page."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from classification.categories import CATEGORIES

MIN_PROMPT_LENGTH = 50
MAX_PROMPT_LENGTH = 8000


class PhotoForm(forms.Form):
    image = forms.FileField(allow_empty_file=True)


class PromptForm(forms.Form):
    """A draft, checked for what a prompt cannot do without."""

    text = forms.CharField(
        label=_("Prompt"),
        min_length=MIN_PROMPT_LENGTH,
        max_length=MAX_PROMPT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 20, "spellcheck": "false"}),
    )
    restored_from = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def clean_text(self) -> str:
        # Browsers send a text area's lines with CR LF.
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
                    _("The word JSON is missing: without it the model may answer in prose.")
                )
            )
        if errors:
            raise ValidationError(errors)
        return text


class PublishForm(PromptForm):
    """A checked draft, the version it was written against, and the fate of older answers."""

    OLDER = [("keep", _("Keep")), ("unknown", _("Treat as unknown from now on"))]

    based_on = forms.IntegerField(widget=forms.HiddenInput)
    older = forms.ChoiceField(choices=OLDER, widget=forms.RadioSelect)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].widget = forms.HiddenInput()


class TrialForm(PhotoForm):
    """One photo to try a draft on."""

    text = forms.CharField(max_length=MAX_PROMPT_LENGTH)
