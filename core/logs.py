"""Log filters, the JSON format, and the log file."""

import json
import logging
from datetime import datetime
from logging.handlers import WatchedFileHandler

from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError


class OneLineFilter(logging.Filter):
    """For django.request: one line per event, with a traceback only for defects.

    Django logs every response of 500 and above; those without an exception were logged where they
    were raised, or belong to a health check.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.exc_info:
            return False
        if isinstance(record.exc_info[1], OperationalError | InterfaceError):
            record.msg, record.args = "The database is unavailable: %s", (record.exc_info[1],)
            record.exc_info = None
        return True


class RefusalFilter(logging.Filter):
    """One line for a request that Django refuses, such as one for another host's name: anybody
    can send it, and its traceback would always be the same."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], SuspiciousOperation):
            record.exc_info = None
        return True


class OwnAdviceFilter(logging.Filter):
    """For Granian: drops its advice on threads and a kernel setting, which are intended, and would
    look like something to fix."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        return not any(words in message for words in ("Configuration allows spawning", "sysctl"))


class JsonFormatter(logging.Formatter):
    """One JSON object per line, with our own fields only.

    Attributes that libraries attach to a record, such as the request, stay out of the log. Callers
    add fields with `extra={"fields": {...}}`.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created).astimezone().isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "request_id": getattr(record, "request_id", "-"),
            "message": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class LogFileHandler(WatchedFileHandler):
    """A log file that is opened again after a rotation. While it cannot be, lines go to the
    standard error: Python's own handler raises to whoever logs, and requests would fail."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)
