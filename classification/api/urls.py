from django.urls import path
from rest_framework.routers import SimpleRouter

from classification.api.views import ClassifyViewSet, HealthView, LiveView

router = SimpleRouter(trailing_slash=False)
router.register("classify", ClassifyViewSet, basename="classify")

urlpatterns = [
    *router.urls,
    path("live", LiveView.as_view(), name="live"),
    path("health", HealthView.as_view(), name="health"),
]
