"""The card of first steps, for the dashboard."""

from typing import Any

from django import template

from stats.dashboard.first_day import steps

register = template.Library()


@register.inclusion_tag("dashboard/first_day.html", takes_context=True)
def first_day(context: dict[str, Any]) -> dict[str, Any]:
    return {"steps": steps(context["request"].user), "csrf_token": context.get("csrf_token")}
