"""Prepares an upload for the model, by the settings."""

from django.conf import settings

from classification.errors import ServiceError
from classification.images.photo import Photo, prepare


def prepare_upload(
    upload: bytes,
    client: str = "",
    *,
    is_one_of_many: bool = False,
    max_side: int | None = None,
) -> Photo:
    """Check and reduce an upload by the settings, scheduled fairly by `client`, and after all else
    if it is one of many that the client has sent.

    `max_side` (pixels) overrides LLM_IMAGE_MAX_SIDE.

    Raises ServiceError: image_too_large, invalid_image, unsupported_format, image_dimensions.
    """
    if len(upload) > settings.MAX_IMAGE_SIZE_MB * 1024 * 1024:
        raise ServiceError("image_too_large")
    return prepare(
        upload,
        allowed_formats=settings.ALLOWED_IMAGE_FORMATS,
        max_side=max_side or settings.LLM_IMAGE_MAX_SIDE,
        client=client,
        is_one_of_many=is_one_of_many,
    )
