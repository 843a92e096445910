from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QualityConfig(AppConfig):
    name = "quality"
    verbose_name = _("Quality")

    def ready(self) -> None:
        from classification.staff import publish_checks
        from quality.evaluation import gate
        from quality.feedback import expiry  # noqa: F401

        publish_checks.draft_checks.append(gate.check_draft)
        publish_checks.version_notes.append(gate.note_versions)
