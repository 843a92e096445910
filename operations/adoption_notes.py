"""Notes for operators who migrate from the older service."""

from collections.abc import Iterator

from django.conf import settings

from classification.models import CacheEntry

# The timeout of the older service's apps.
CLIENT_SECONDS = 30
# Paths under /api/v1 of the older service that do not exist here.
GONE = (
    "/auth/login",
    "/config/inference",
    "/local-classify",
    "/location",
    "/user",
    "/payment",
    "/image-edit",
)


def older_entries() -> int:
    """How many entries were created by the older service, which stored no provider."""
    return CacheEntry.objects.filter(provider="").count()


def is_timeout_too_long() -> bool:
    """Whether the older service's apps time out before the model does."""
    return int(settings.LLM_TIMEOUT) >= CLIENT_SECONDS


def notes() -> Iterator[str]:
    """Notes on how apps will reach this service, as text."""
    yield f"Apps reach this service under {', '.join(settings.ALLOWED_HOSTS)} (ALLOWED_HOSTS)."
    if settings.CORS_ALLOWED_ORIGINS or getattr(settings, "CORS_ALLOW_ALL_ORIGINS", False):
        yield "Pages of the origins in CORS_ALLOWED_ORIGINS may call it from a browser."
    else:
        yield "No page of another origin may call it from a browser; see CORS_ALLOWED_ORIGINS."
    yield f"Addresses of the older service that do not exist here: {', '.join(GONE)}."
    if is_timeout_too_long():
        yield (
            f"Its apps give up after {CLIENT_SECONDS} s, and LLM_TIMEOUT is "
            f"{settings.LLM_TIMEOUT}: set it to {CLIENT_SECONDS - 5}."
        )
