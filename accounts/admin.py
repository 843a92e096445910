"""The admin of staff accounts, groups and tokens, with translated permission names."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import Group, Permission, User
from django.db.models import ManyToManyField
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.authtoken.admin import TokenAdmin
from rest_framework.authtoken.models import Token, TokenProxy

from accounts import audit_admin
from core.admin import EditForm, StrictAdmin

__all__ = ["StaffAdmin", "StaffGroupAdmin", "audit_admin"]

ACTIONS = {
    "view": gettext_lazy("view"),
    "add": gettext_lazy("add"),
    "change": gettext_lazy("change"),
    "delete": gettext_lazy("delete"),
}
# Permissions are offered for these only; the other models are internal.
APPS = ("admin", "auth", "authtoken", "classification", "clients")
MODELS = (
    "cacheentry",
    "requestlog",
    "modelcall",
    "promptversion",
    "user",
    "group",
    "tokenproxy",
    "app",
    "appkey",
    "logentry",
)


class PermissionField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """A choice of permissions with translated names; Django stores English ones in the database."""

    def label_from_instance(self, permission: Any) -> str:
        action = permission.codename.partition("_")[0]
        if action not in ACTIONS:  # one of ours, which names itself
            return _(permission.name)
        names = {"model": permission.content_type.name, "action": ACTIONS[action]}
        return _("%(model)s: %(action)s") % names


class ReadablePermissions(StrictAdmin):
    form = EditForm
    filter_horizontal = ()

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.related_model is not Permission:
            kwargs["widget"] = forms.CheckboxSelectMultiple
            return super().formfield_for_manytomany(db_field, request, **kwargs)
        permissions = Permission.objects.filter(
            content_type__app_label__in=APPS, content_type__model__in=MODELS
        )
        return PermissionField(
            permissions.select_related("content_type").order_by("content_type", "pk"),
            label=db_field.verbose_name,
            required=False,
            widget=forms.CheckboxSelectMultiple,
        )


admin.site.unregister(User)
admin.site.unregister(Group)
admin.site.unregister(TokenProxy)


class StaffForm(EditForm, UserChangeForm):  # type: ignore[type-arg]
    """An account that was switched off meanwhile is not switched on again by an open form."""


@admin.register(User)
class StaffAdmin(ReadablePermissions, UserAdmin):  # type: ignore[type-arg]
    form = StaffForm
    readonly_fields = ("last_login", "date_joined")
    search_help_text = gettext_lazy("User name, name or e-mail address")


@admin.register(Group)
class StaffGroupAdmin(ReadablePermissions, GroupAdmin):  # type: ignore[misc]
    pass


@admin.register(TokenProxy)
class StaffTokenAdmin(StrictAdmin, TokenAdmin):
    """Shows a key only once, after it was created, and its beginning from then on."""

    list_display = ("__str__", "user", "created")

    def response_add(self, request: HttpRequest, obj: Token, *args: Any, **kwargs: Any) -> Any:
        sentence = _("Copy the key now, it will not be shown again: %(key)s")
        self.message_user(request, sentence % {"key": obj.key})
        return super().response_add(request, obj, *args, **kwargs)
