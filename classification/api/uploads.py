"""Uploads are read into memory, whatever their size: photos never touch the disk."""

from typing import Any

from django.core.files.uploadhandler import MemoryFileUploadHandler


class MemoryUploadHandler(MemoryFileUploadHandler):
    """Django's handler without its limit; views refuse a long body before it is read."""

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:
        self.activated = True
