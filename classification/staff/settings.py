"""The settings page: the settings in effect, and how an app calls the API."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from classification.categories import CATEGORIES
from classification.monitoring import retirements
from classification.staff import asked_models, effective_settings
from core.staff import StaffRequest, staff_only


@staff_only
@require_GET
def page(request: StaffRequest) -> HttpResponse:
    context = {
        "groups": effective_settings.setting_groups(),
        "models": asked_models.asked_models(),
        "notices": retirements.notices(),
        "categories": CATEGORIES,
        "base_url": request.build_absolute_uri("/api/v1"),
    }
    return render(request, "settings/page.html", context)
