"""Log lines for machines."""

import json
import logging
from datetime import datetime


class JsonFormatter(logging.Formatter):
    """One JSON object a line, of our own fields only.

    What libraries hang on a record, such as the request, stays out of the log. A caller adds
    fields on purpose: `extra={"fields": {...}}`.
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
