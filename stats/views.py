"""The dashboard."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from classifier_project.staff import StaffRequest, staff_only


@staff_only
@require_GET
def dashboard(request: StaffRequest) -> HttpResponse:
    return render(request, "dashboard/page.html")
