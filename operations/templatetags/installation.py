"""Shows the state of the installation on pages of packages below this one."""

from django import template

from classification.billing.daily_limit import Spending
from classification.monitoring.service_status import Service
from operations.status.installation import Installation, installation

register = template.Library()


@register.inclusion_tag("status/state.html")
def installation_state(service: Service, spending: Spending | None) -> dict[str, Installation]:
    """The state of the installation with its reasons."""
    return {"installation": installation(service, spending)}
