"""Generates the SECRET_KEY of an installation that does not set one."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from core.configuration import folders


def read_or_create(path: Path) -> str:
    """The secret stored in `path`, which is created the first time, readable by the owner only.

    Processes that start at the same time get the same secret, since only one can link the file.
    Raises ImproperlyConfigured if it cannot be stored.
    """
    if not path.exists():
        folders.make_writable(path.parent, "SECRET_KEY is not set, nor can one be kept")
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(get_random_secret_key())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    try:
        secret = path.read_text().strip().strip("\0")
    except OSError as error:
        raise ImproperlyConfigured(
            f"SECRET_KEY is not set, and {path} cannot be read: {error.strerror}."
        ) from None
    if not secret:  # a power cut may leave it without bytes, or with zeros
        raise ImproperlyConfigured(f"SECRET_KEY is not set, and {path} is empty: delete it.")
    return secret
