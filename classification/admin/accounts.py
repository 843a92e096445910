"""Staff and their groups, with permissions that are named in the language of the page."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import ManyToManyField
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

ACTIONS = {
    "view": gettext_lazy("view"),
    "add": gettext_lazy("add"),
    "change": gettext_lazy("change"),
    "delete": gettext_lazy("delete"),
}
# What staff find in the admin; the other models are the machinery's.
APPS = ("auth", "authtoken", "classification")
MODELS = (
    "cacheentry",
    "requestlog",
    "modelcall",
    "promptversion",
    "user",
    "group",
    "tokenproxy",
)


class PermissionField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Django keeps the names of permissions in the database, in English."""

    def label_from_instance(self, permission: Any) -> str:
        action = permission.codename.partition("_")[0]
        names = {"model": permission.content_type.name, "action": ACTIONS[action]}
        return _("%(model)s: %(action)s") % names


class ReadablePermissions(admin.ModelAdmin):  # type: ignore[type-arg]
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


@admin.register(User)
class StaffAdmin(ReadablePermissions, UserAdmin):  # type: ignore[type-arg]
    pass


@admin.register(Group)
class StaffGroupAdmin(ReadablePermissions, GroupAdmin):  # type: ignore[misc]
    pass
