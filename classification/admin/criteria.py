"""The filter form of the log and the ledger: time, app, user, cost and more."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from classification.choices import OK, Billed, Source
from classification.errors import ERRORS
from classification.models.entries import CATEGORY_CHOICES
from clients.models import App

MINUTE_FORMAT = "%Y-%m-%dT%H:%M"


def _apps() -> list[tuple[Any, Any]]:
    return [("", _("all")), *App.objects.order_by("name").values_list("pk", "name")]


def _outcomes() -> list[tuple[str, Any]]:
    sentences = [(code, sentence) for code, (_status, sentence) in ERRORS.items()]
    return [("", _("all")), (OK, _("answered")), *sentences]


def _choice(label: Any, choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=choices)


def _values(choices: Any) -> list[tuple[Any, Any]]:
    return [("", _("all")), *choices]


def _minute(label: Any) -> forms.DateTimeField:
    widget = forms.DateTimeInput({"type": "datetime-local"}, format=MINUTE_FORMAT)
    return forms.DateTimeField(label=label, required=False, widget=widget)


class Criteria(forms.Form):
    """The fields both forms share; `columns` maps fields to ORM lookups where their names differ.

    An invalid field does not filter, and shows its error.
    """

    created_at__gte = _minute(_("Since"))
    created_at__lt = _minute(_("Before"))
    app = _choice(_("App"), _apps)
    outcome = _choice(_("Outcome"), _outcomes)
    slower = forms.IntegerField(label=_("Slower than (ms)"), required=False, min_value=0)
    dearer = forms.DecimalField(label=_("Costs more than (yuan)"), required=False, min_value=0)

    columns: dict[str, str] = {"app": "app_id", "dearer": "cost__gt"}

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows that match all criteria."""
        self.full_clean()
        for name, value in self.cleaned_data.items():
            if value not in (None, ""):
                rows = rows.filter(**{self.columns.get(name, name): value})
        return rows


class LogCriteria(Criteria):
    category__exact = _choice(_("Category"), _values(CATEGORY_CHOICES))
    source = _choice(_("Source"), _values(Source.choices))
    user = forms.CharField(label=_("Part of a user ID"), required=False, max_length=64)
    address = forms.CharField(label=_("IP address"), required=False, max_length=64)

    columns = Criteria.columns | {
        "slower": "processing_time_ms__gt",
        "user": "user_id__contains",
        "address": "ip_address",
    }


class LedgerCriteria(Criteria):
    billed__exact = _choice(_("Billed"), _values(Billed.choices))
    model = forms.CharField(label=_("Part of a model's name"), required=False, max_length=50)

    columns = Criteria.columns | {"slower": "duration_ms__gt", "model": "model__contains"}


class CriteriaFilter(admin.ListFilter):
    """A form as an admin filter; its query parameters can be linked to."""

    title = _("Criteria")
    template = "admin/criteria.html"
    form_class: type[Criteria]

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.form_class.base_fields:
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]
        self.form = self.form_class(self.used_parameters)
        # Other query parameters, which the form passes on.
        self.others = {
            name: values[-1]
            for name, values in request.GET.lists()
            if name not in self.form_class.base_fields and name not in (PAGE_VAR, ERROR_FLAG)
        }

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return list(self.form_class.base_fields)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return self.form.narrow(queryset)

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        """Links to the most common date ranges."""
        today = timezone.localtime().replace(hour=0, minute=0)
        for title, days in ((_("Today"), 0), (_("Last 7 days"), 6), (_("Last 30 days"), 29)):
            since = (today - timedelta(days=days)).strftime(MINUTE_FORMAT)
            new = {"created_at__gte": since}
            yield {
                "selected": self.used_parameters == new,
                "query_string": changelist.get_query_string(new, ["created_at__lt", "p"]),
                "display": title,
            }

    @property
    def form_with_local_times(self) -> Criteria:
        """The form with times as datetime-local inputs expect them, whatever their format in the
        URL."""
        good = {n: v for n, v in self.form.cleaned_data.items() if n.startswith("created_at") and v}
        times = {n: timezone.localtime(v).strftime(MINUTE_FORMAT) for n, v in good.items()}
        shown = self.form_class(self.used_parameters | times, auto_id="criteria_%s")
        shown.full_clean()
        return shown


class LogFilter(CriteriaFilter):
    form_class = LogCriteria


class LedgerFilter(CriteriaFilter):
    form_class = LedgerCriteria
