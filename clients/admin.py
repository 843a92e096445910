"""The admin of apps and keys: create, limit, rotate, revoke. A key is shown once, in the response
to the request that created it; it never appears in a URL, cookie or message."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients import quotas
from clients.models import LIMITS, App, AppKey
from core.admin import EditForm, StrictAdmin
from core.money import in_yuan


class RotateForm(forms.Form):
    """How long the older keys still work."""

    overlap_days = forms.IntegerField(
        label=gettext_lazy("Days the old keys stay valid"),
        min_value=0,
        max_value=365,
        initial=7,
    )


@admin.register(App)
class AppAdmin(StrictAdmin):
    form = EditForm
    list_display = ("name", "is_active", "is_trusted", "new_photos", "cost", "usable_keys")
    search_fields = ("name", "contact")
    fieldsets = (
        (None, {"fields": ("name", "contact", "is_active", "is_trusted", "corrections_by_users")}),
        (gettext_lazy("Limits"), {"fields": LIMITS}),
        (gettext_lazy("Today"), {"fields": ("new_photos", "cost")}),
        (gettext_lazy("Keys"), {"fields": ("key_table",)}),
    )
    readonly_fields = ("new_photos", "cost", "key_table", "key_list")
    change_form_template = "admin/clients/change_app.html"

    def has_delete_permission(self, request: HttpRequest, obj: App | None = None) -> bool:
        return False  # statistics name it: an app is switched off

    def get_readonly_fields(self, request: HttpRequest, obj: App | None = None) -> Any:
        own_name = ("name",) if obj and obj.is_anonymous else ()
        return (*self.readonly_fields, *own_name)

    def get_fieldsets(self, request: HttpRequest, obj: App | None = None) -> Any:
        if obj is None:
            return self.fieldsets[:2]
        if request.user.has_perm("clients.change_appkey"):
            return self.fieldsets
        return (*self.fieldsets[:3], (gettext_lazy("Keys"), {"fields": ("key_list",)}))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:app_id>/rotate/", view(self.rotate), name="clients_app_rotate"),
            path("keys/<int:key_id>/revoke/", view(self.revoke), name="clients_app_revoke"),
            *super().get_urls(),
        ]

    def response_add(
        self, request: HttpRequest, obj: App, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the new app's key."""
        return self._show_key(request, obj, AppKey.objects.issue(obj)[1])

    def rotate(self, request: HttpRequest, app_id: int) -> HttpResponse:
        """Ask how long the older keys remain valid; then create a new key and show it."""
        if not request.user.has_perm("clients.add_appkey"):
            raise PermissionDenied
        app = App.objects.filter(pk=app_id).first()
        if app is None or app.is_anonymous:
            raise Http404
        form = RotateForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            context = self._context(request, app, _("Rotate the key of %(app)s")) | {"form": form}
            return render(request, "admin/clients/rotate.html", context)
        until = timezone.now() + timedelta(days=form.cleaned_data["overlap_days"])
        key, text = AppKey.objects.rotate(app, until=until)
        self.log_change(request, app, _("New key: %(key)s") % {"key": key.prefix})
        return self._show_key(request, app, text)

    def revoke(self, request: HttpRequest, key_id: int) -> HttpResponse:
        """Revoke a key after confirmation."""
        if not request.user.has_perm("clients.change_appkey"):
            raise PermissionDenied
        key = AppKey.objects.filter(pk=key_id, revoked_at=None).select_related("app").first()
        if key is None:
            raise Http404
        if request.method != "POST":
            context = self._context(request, key.app, _("Revoke a key of %(app)s")) | {"key": key}
            return render(request, "admin/clients/revoke.html", context)
        key.revoke()
        self.log_change(request, key.app, _("Key revoked: %(key)s") % {"key": key.prefix})
        sentence = _("%(key)s is revoked; every process rejects it within 30 seconds.")
        self.message_user(request, sentence % {"key": key.prefix})
        return redirect("admin:clients_app_change", key.app_id)

    def _show_key(self, request: HttpRequest, app: App, key: str) -> HttpResponse:
        context = self._context(request, app, _("The key of %(app)s")) | {"text": key}
        return render(request, "admin/clients/new_key.html", context)

    def _context(self, request: HttpRequest, app: App, title: str) -> dict[str, Any]:
        own = {"title": title % {"app": app.name}, "opts": self.opts, "app": app}
        return self.admin_site.each_context(request) | own

    @admin.display(description=gettext_lazy("new photos today"))
    def new_photos(self, app: App) -> str:
        limit = app.new_photos_per_day
        used = quotas.usage(app.pk)
        return "–" if limit is None else f"{used.new_photos if used else 0} / {limit}"

    @admin.display(description=gettext_lazy("spent today (yuan)"))
    def cost(self, app: App) -> str:
        limit = app.cost_per_day
        if limit is None:
            return "–"
        used = quotas.usage(app.pk)
        return f"¥{in_yuan(used.cost) if used else 0:.4f} / ¥{limit:.4f}"

    @admin.display(description=gettext_lazy("keys"))
    def usable_keys(self, app: App) -> str:
        keys = AppKey.objects.usable().filter(app=app)
        return ", ".join(key.prefix for key in keys) or "–"

    @admin.display(description=gettext_lazy("keys"))
    def key_table(self, app: App) -> SafeString | str:
        """All keys the app ever had, with links to revoke the usable ones."""
        return _table((*_described(key), _revoke_link(key)) for key in app.keys.all())

    @admin.display(description=gettext_lazy("keys"))
    def key_list(self, app: App) -> SafeString | str:
        """The same without links, for staff who may only view them."""
        return _table((*_described(key), "") for key in app.keys.all())


def _table(keys: Iterable[tuple[Any, ...]]) -> SafeString | str:
    row = "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>"
    rows = format_html_join("", row, keys)
    return format_html("<table>{}</table>", rows) if rows else "–"


def _described(key: AppKey) -> tuple[str, str, str]:
    return key.prefix, _state(key), _use(key)


def _state(key: AppKey) -> str:
    if key.revoked_at:
        return _("revoked on %(day)s") % {"day": _minute(key.revoked_at)}
    if key.expires_at is None:
        return _("created on %(day)s") % {"day": _minute(key.created_at)}
    sentence = _("ends on %(day)s") if key.is_usable else _("ended on %(day)s")
    return sentence % {"day": _minute(key.expires_at)}


def _use(key: AppKey) -> str:
    if key.last_used_at is None:
        return _("never used")
    described = {"count": key.use_count, "moment": _minute(key.last_used_at)}
    return _("used about %(count)s times, last at %(moment)s") % described


def _revoke_link(key: AppKey) -> SafeString | str:
    if not key.is_usable:
        return ""
    address = reverse("admin:clients_app_revoke", args=[key.pk])
    return format_html('<a href="{}">{}</a>', address, _("Revoke"))


def _minute(moment: Any) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M")
