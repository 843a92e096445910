"""The database of a benchmark: its own, made and emptied, with what the rows ask for."""

import hashlib
import io
import json
import os
import random
import secrets
from typing import Any

import django
import MySQLdb

DATABASE_URL = os.environ.get("BENCH_DATABASE_URL", "mysql://root@localhost/classifier_bench")
os.environ["DATABASE_URL"] = DATABASE_URL
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classifier_project.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from classification.models import (  # noqa: E402
    CacheEntry,
    DeclaredHash,
    Lease,
    ModelCall,
    RequestLog,
)
from clients.models import ANONYMOUS_ID  # noqa: E402
from tests.support.pictures import photo  # noqa: E402

ENTRIES = 50_000
DECLARED = 1000


def prepare() -> None:
    """Make the tables, with nothing in them but the entries that are asked for."""
    _create()
    call_command("migrate", verbosity=0)
    for model in (CacheEntry, DeclaredHash, RequestLog, ModelCall, Lease):
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE TABLE {model._meta.db_table}")
    hashes = [f"{number:064x}" for number in range(ENTRIES)]
    hashes.append(hashlib.sha256(known_photo()).hexdigest())
    CacheEntry.objects.bulk_create(map(_entry, hashes), batch_size=2000)
    DeclaredHash.objects.bulk_create(
        DeclaredHash(
            declared_hash=f"d{number:063x}",
            image_hash=f"{number:064x}",
            app_id=ANONYMOUS_ID,
            user_id="bench",
            has_token=False,
        )
        for number in range(DECLARED)
    )
    connection.close()


def known_photo() -> bytes:
    """A photo of 440 kB whose answer is kept."""
    data: bytes = photo(size=(1024, 768), seed=1)
    # What a camera adds: the answer is known, so that nobody looks into it.
    return data + random.Random(1).randbytes(440_000 - len(data))  # noqa: S311


def make_key() -> str:
    """The key of a new app."""
    out = io.StringIO()
    call_command("create_app", f"bench-{secrets.token_hex(4)}", "--json", stdout=out)
    key: str = json.loads(out.getvalue())["key"]
    return key


def _create() -> None:
    config = connection.settings_dict
    server: Any = MySQLdb.connect(
        host=config["HOST"],
        port=int(config["PORT"] or 3306),
        user=config["USER"],
        password=config["PASSWORD"],
    )
    name = config["NAME"].replace("`", "``")
    server.cursor().execute(f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4")
    server.close()


def _entry(image_hash: str) -> CacheEntry:
    return CacheEntry(
        image_hash=image_hash,
        category="pets",
        confidence="0.9",
        model_used="qwen-vl-plus",
        provider="aliyun",
        prompt_version=1,
    )
