"""Checks of the folders and files that the service writes."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def make_writable(folder: Path, name: str) -> None:
    """Create the folder if it does not exist. Raises ImproperlyConfigured, naming the variable
    `name`, if it cannot be created or written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name}: the folder {folder} cannot be made: {error.strerror}."
        ) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(
            f"{name}: the folder {folder} is not writable by this user. Give it to the "
            "service's user, or set STATE_DIRECTORY to one that is."
        )


def check_file(path: Path, name: str) -> None:
    """Raise ImproperlyConfigured, naming the variable `name`, if the file cannot be written or
    created."""
    if path.is_dir():
        raise ImproperlyConfigured(f"{name} must be a file, and {path} is a folder.")
    writable = path if path.exists() else path.resolve().parent
    if not os.access(writable, os.W_OK):
        raise ImproperlyConfigured(f"{name}: {writable} is not there, or cannot be written.")
