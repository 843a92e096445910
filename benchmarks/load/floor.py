"""What our server is held against, on the same server program: a function that does nothing, at
/empty, and one that does one SELECT per request and nothing else."""

import json
import os
import threading
from typing import Any

import MySQLdb

from core.configuration.databases import database

DATABASE = database(os.environ["DATABASE_URL"], "UTC", read_timeout=None)
EMPTY = b'{"data": ["pets", 0.9, null]}'
_local = threading.local()


def _connection() -> Any:
    if not hasattr(_local, "connection"):
        _local.connection = MySQLdb.connect(
            host=DATABASE["HOST"],
            port=int(DATABASE["PORT"] or 3306),
            user=DATABASE["USER"],
            password=DATABASE["PASSWORD"],
            database=DATABASE["NAME"],
            autocommit=True,
        )
    return _local.connection


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer {"image_hash": ...} with the entry's three columns, or with the same each time."""
    asked = environ["wsgi.input"].read()
    body = EMPTY if environ["PATH_INFO"] == "/empty" else _select(json.loads(asked)["image_hash"])
    start_response("200 OK", [("Content-Type", "application/json")])
    return [body]


def _select(image_hash: str) -> bytes:
    cursor = _connection().cursor()
    cursor.execute(
        "SELECT category, confidence, description FROM image_classification_cache "
        "WHERE image_hash = %s",
        (image_hash,),
    )
    row = cursor.fetchone()
    return json.dumps({"data": row and [row[0], float(row[1]), row[2]]}).encode()
