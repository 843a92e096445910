from django.urls import path

from privacy.api import UserExportView, UserView

urlpatterns = [
    path("users/<path:user_id>/export", UserExportView.as_view(), name="export-user"),
    path("users/<path:user_id>", UserView.as_view(), name="forget-user"),
]
