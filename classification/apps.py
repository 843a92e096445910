from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClassificationConfig(AppConfig):
    name = "classification"
    verbose_name = _("Classification")

    def ready(self) -> None:
        from classification import checks  # noqa: F401
        from classification.api import openapi_credentials  # noqa: F401
