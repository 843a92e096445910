"""The base of the admin's lists: restricted lookups, validated actions, downloads, and forms that
may stay open."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db.models import Manager, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext as _

from core.audit import record
from core.csv_files import csv_lines

# The lookups of the admin's own filters. Others would come from a crafted URL: a regular expression
# can keep a worker busy for hours.
FILTER_LOOKUPS = {"exact", "gte", "lt", "isnull"}
DOWNLOAD_PAGE_ROWS = 2000
MAX_SHOWN = 80  # characters of a value in an error


class StrictAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Lists that can only be filtered by their own filters and links."""

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        kind = lookup.rpartition("__")[2] if "__" in lookup else "exact"
        return kind in FILTER_LOOKUPS and bool(super().lookup_allowed(lookup, value, request))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, titled with its model's name instead of Django's "Select … to change"."""
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Run the chosen action, unless a selected id is invalid, which Django answers with a
        500."""
        try:
            for selected in request.POST.getlist(helpers.ACTION_CHECKBOX_NAME):
                self.model._meta.pk.clean(selected, None)
        except ValidationError:
            sentence = _("Nothing was done: a selected row does not exist.")
            self.message_user(request, sentence, messages.ERROR)
            return None
        return super().response_action(request, queryset, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change and isinstance(form, EditForm):
            form.save_edited()
        else:
            super().save_model(request, obj, form, change)


class DownloadableAdmin(StrictAdmin):
    """Lists whose filtered rows can be downloaded by everybody who may see them."""

    # Names of fields, or of methods of the ModelAdmin.
    download_columns: Sequence[str] = ()

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_download"
        view = self.admin_site.admin_view(self.download)
        return [path("download/", view, name=name), *super().get_urls()]

    def download(self, request: HttpRequest) -> StreamingHttpResponse:
        """Every row of the list as CSV, the latest first."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters as error:
            raise BadRequest("invalid filter") from error
        heading = [label_for_field(name, self.model, self) for name in self.download_columns]
        record(request.user, self.model, _("Downloaded"))
        lines = csv_lines(heading, self._download_rows(rows))
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{self.opts.model_name}.csv"'
        return response

    def _download_rows(self, rows: QuerySet[Any]) -> Iterator[list[Any]]:
        """Reads page by page: MariaDB's client would load all rows into memory."""
        rows = rows.order_by("-pk")
        page = list(rows[:DOWNLOAD_PAGE_ROWS])
        while page:
            for row in page:
                yield [lookup_field(name, row, self)[2] for name in self.download_columns]
            page = list(rows.filter(pk__lt=page[-1].pk)[:DOWNLOAD_PAGE_ROWS])


class EditForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form that may stay open for hours: it submits the initial values as well, so that only
    edited fields are saved, and none over a change that was made since.

    A valid form has the row as `current`, locked until the request's transaction ends.
    """

    current: Any

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk is not None:
            for field in self.fields.values():
                field.show_hidden_initial = not field.disabled

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.instance.pk is None:
            return cleaned
        rows = type(self.instance)._default_manager.select_for_update()
        self.current = rows.filter(pk=self.instance.pk).first()
        if self.current is None:
            raise ValidationError(_("This was deleted meanwhile; nothing was saved."))
        for name in self.changed_data:
            now = getattr(self.current, name)
            if _plain(now) not in (self._seen(name), _plain(cleaned.get(name))):
                sentence = _("This is “%(now)s” by now. Reload the page to go on from there.")
                self.add_error(name, sentence % {"now": self._shown(name, now)})
        relations = {field.name for field in self.instance._meta.many_to_many}
        untouched = relations.difference(self.changed_data)
        # save_m2m() leaves what is missing here as it is.
        return {name: value for name, value in cleaned.items() if name not in untouched}

    def save_edited(self) -> None:
        """Save the edited columns; save_m2m() saves the edited relations."""
        columns = {field.name for field in self.instance._meta.concrete_fields}
        self.instance.save(update_fields=columns.intersection(self.changed_data))

    def _seen(self, name: str) -> Any:
        """The value that the form showed when it was opened."""
        field, own_name = self.fields[name], self.add_initial_prefix(name)
        text = field.hidden_widget().value_from_datadict(self.data, self.files, own_name)
        try:
            return _plain(field.to_python(text))
        except ValidationError:
            return None

    def _shown(self, name: str, value: Any) -> str:
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        display = getattr(self.current, f"get_{name}_display", None)
        plain = _plain(value)
        if isinstance(plain, set):
            text = ", ".join(sorted(map(str, plain)))
        else:
            text = str(display() if display else plain)
        return Truncator(text or "–").chars(MAX_SHOWN)


def _plain(value: Any) -> Any:
    """A text without the changes that browsers and forms make to line breaks and outer blanks, ""
    for none, and related rows as a set; any other value unchanged."""
    if isinstance(value, Manager):
        value = value.all()
    if isinstance(value, QuerySet | list):
        return set(value)
    if value is None or isinstance(value, str):
        return "\n".join((value or "").split("\r\n")).strip()
    return value
