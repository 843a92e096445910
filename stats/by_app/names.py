"""Display names of apps."""

from django.utils.translation import gettext as _

from classification.models import STAFF_ID
from clients.models import App


def app_names() -> dict[int, str]:
    """App id -> name, including that of staff trials."""
    return dict(App.objects.values_list("pk", "name")) | {STAFF_ID: _("Staff's trials")}
