from rest_framework.routers import SimpleRouter

from stats.api.views import StatsViewSet

router = SimpleRouter(trailing_slash=False)
router.register("stats", StatsViewSet, basename="stats")
urlpatterns = router.urls
