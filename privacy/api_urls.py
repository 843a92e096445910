from django.urls import path, register_converter

from privacy.api import UserExportView, UserView


class UserIdConverter:
    """Any text: an id may contain slashes and line breaks."""

    regex = r"[\s\S]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(UserIdConverter, "user_id")

urlpatterns = [
    path("users/<user_id:user_id>/export", UserExportView.as_view(), name="export-user"),
    path("users/<user_id:user_id>", UserView.as_view(), name="forget-user"),
]
