"""What staff fill in about their own account."""

from django import forms
from django.utils.translation import gettext_lazy as _

DAYS = [(30, _("30 days")), (90, _("90 days")), (365, _("1 year")), (0, _("no end"))]


class TokenForm(forms.Form):
    name = forms.CharField(label=_("name"), max_length=64)
    days = forms.TypedChoiceField(label=_("Valid for"), choices=DAYS, coerce=int, initial=90)
