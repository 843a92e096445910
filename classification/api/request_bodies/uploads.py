"""Keeps uploads in memory, whatever their size: photos never touch the disk."""

from typing import Any

from django.core.files.uploadhandler import MemoryFileUploadHandler


class MemoryUploadHandler(MemoryFileUploadHandler):
    """Django's handler without its size limit; bodies that are too long are rejected before."""

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:
        self.activated = True
