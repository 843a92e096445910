"""A staff member's own account: API tokens and theme."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from rest_framework.authtoken.models import Token

from accounts.forms import TokenForm
from accounts.models import ApiToken
from core.audit import record
from core.staff import StaffRequest, staff_only

THEMES = ("light", "dark")
YEAR_SECONDS = 365 * 24 * 3600


@staff_only
@require_http_methods(["GET", "POST"])
def tokens(request: StaffRequest) -> HttpResponse:
    """The user's own tokens, and creating one, whose key is shown once."""
    form, key = TokenForm(request.POST or None), ""
    if form.is_valid():
        name, days = form.cleaned_data["name"], form.cleaned_data["days"]
        token, key = ApiToken.objects.make(request.user, name, days or None)
        record(request.user, token, _("API token created"))
        form = TokenForm()
    context = {
        "form": form,
        "key": key,
        "tokens": ApiToken.objects.filter(user=request.user).order_by("-created_at"),
        "older": Token.objects.filter(user=request.user).first(),
    }
    response = render(request, "account/tokens.html", context)
    response["Cache-Control"] = "no-store"
    return response


@staff_only
@require_POST
def revoke_token(request: StaffRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(ApiToken, pk=pk, user=request.user)
    record(request.user, token, _("API token revoked"))
    token.delete()
    return redirect("tokens")


@staff_only
@require_POST
def revoke_older_token(request: StaffRequest) -> HttpResponse:
    """Revoke DRF's token, of which an account can have one."""
    if Token.objects.filter(user=request.user).delete()[0]:
        record(request.user, request.user, _("API token revoked"))
    return redirect("tokens")


@require_POST
def set_theme(request: StaffRequest) -> HttpResponse:
    """Choose the light or dark theme, or the system's."""
    wanted, back = request.POST.get("theme"), request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        back, {request.get_host()}, require_https=request.is_secure()
    )
    response = redirect(back if is_ours else "dashboard")
    if wanted in THEMES:
        response.set_cookie(
            "theme", wanted, YEAR_SECONDS, samesite="Lax", secure=request.is_secure(), httponly=True
        )
    else:
        response.delete_cookie("theme")
    return response
