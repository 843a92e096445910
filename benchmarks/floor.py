"""The floor: a bare WSGI function that does one SELECT per request, and nothing else."""

import json
import os
import threading
from typing import Any

import environ
import MySQLdb

DATABASE = environ.Env.db_url_config(os.environ["DATABASE_URL"])
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
    """Answer {"image_hash": ...} with the entry's three columns."""
    image_hash = json.loads(environ["wsgi.input"].read())["image_hash"]
    cursor = _connection().cursor()
    cursor.execute(
        "SELECT category, confidence, description FROM image_classification_cache "
        "WHERE image_hash = %s",
        (image_hash,),
    )
    row = cursor.fetchone()
    body = json.dumps({"data": row and [row[0], float(row[1]), row[2]]}).encode()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [body]
