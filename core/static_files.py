"""Static files storage that also works without collectstatic."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Uses hashed names; a file that was not collected keeps its own name, under which
    WHITENOISE_USE_FINDERS serves it."""

    def stored_name(self, name: str) -> str:
        try:
            return str(super().stored_name(name))
        except ValueError:
            return name
