from django.urls import path

from stats import views
from stats.bill import pages as bill
from stats.by_app import pages
from stats.dashboard import first_day
from stats.exports.views import download

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("first-day/dismiss/", first_day.dismiss, name="first-day-dismiss"),
    path("apps/", pages.apps, name="apps"),
    path("apps/<int:app_id>/", pages.app, name="app"),
    path("bill/", bill.bill, name="bill"),
    path("bill/check/", bill.check, name="bill-check"),
    path("download/<slug:report>.<slug:file_format>", download, name="download"),
]
