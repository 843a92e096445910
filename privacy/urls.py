from django.urls import path

from privacy import pages

urlpatterns = [
    path("privacy/", pages.page, name="privacy"),
    path("privacy/find/", pages.find, name="privacy-find"),
    path("privacy/export/", pages.export_person, name="privacy-export"),
    path("privacy/forget/", pages.forget, name="privacy-forget"),
]
