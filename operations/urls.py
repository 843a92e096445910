from django.urls import path

from operations import views
from operations.search import search
from operations.status import pages

urlpatterns = [
    path("metrics", views.metrics, name="metrics"),
    path("status/", pages.page, name="status"),
    path("search/", search, name="search"),
]
