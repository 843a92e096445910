"""Every address of the service."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)

from classifier_project.middleware import redoc_policy

handler400 = "classification.api.errors.bad_request"
handler403 = "classifier_project.error_pages.forbidden"
handler404 = "classification.api.errors.not_found"
handler500 = "classification.api.errors.server_error"

urlpatterns = [
    path("", include("stats.urls")),
    path("", include("classification.urls")),
    path("", include("operations.urls")),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/", include("classification.api.urls")),
    path("api/v1/", include("stats.api_urls")),
    path("api/v1/schema", SpectacularAPIView.as_view(), name="schema"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("redoc", redoc_policy(SpectacularRedocView.as_view(url_name="schema")), name="redoc"),
]
