"""The root URLconf: every path of the service."""

from django.contrib import admin
from django.urls import include, path

from classifier_project.api_docs import DocsView, RedocView, SchemaView
from core.security_headers import redoc_policy

handler400 = "classifier_project.error_handlers.bad_request"
handler403 = "classifier_project.error_handlers.forbidden"
handler404 = "classifier_project.error_handlers.not_found"
handler500 = "classifier_project.error_handlers.server_error"

urlpatterns = [
    path("", include("stats.urls")),
    path("", include("classification.staff.urls")),
    path("", include("quality.urls")),
    path("", include("privacy.urls")),
    path("", include("operations.urls")),
    path("", include("accounts.urls")),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/", include("classification.api.urls")),
    path("api/v1/", include("stats.api.urls")),
    path("api/v1/", include("quality.api_urls")),
    path("api/v1/", include("privacy.api_urls")),
    path("api/v1/schema", SchemaView.as_view(), name="schema"),
    path("docs", DocsView.as_view(), name="docs"),
    path("redoc", redoc_policy(RedocView.as_view()), name="redoc"),
]
