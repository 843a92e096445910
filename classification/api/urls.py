from django.urls import path
from rest_framework.routers import SimpleRouter

from classification.api.client_views import TokenView, UsageView
from classification.api.views import ClassifyViewSet, HealthView, LiveView

router = SimpleRouter(trailing_slash=False)
router.register("classify", ClassifyViewSet, basename="classify")

urlpatterns = [
    *router.urls,
    path("auth/token", TokenView.as_view(), name="token"),
    path("usage", UsageView.as_view(), name="usage"),
    path("live", LiveView.as_view(), name="live"),
    path("health", HealthView.as_view(), name="health"),
]
