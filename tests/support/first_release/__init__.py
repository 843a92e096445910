"""The first release's tables, as its own migrations created them, and the way it wrote to them."""

import re
from pathlib import Path

from tests.support.servers import ScratchDatabase

KNOWN = "a" * 64
# The columns that the first release names when it inserts.
ENTRY = (
    "INSERT INTO image_classification_cache (image_hash, category, confidence, description, "
    "model_used, hit_count, created_at, last_hit_at, ask_again, provider, cost) VALUES "
    "('{hash}', 'pets', 0.9, 'cat', 'qwen-vl-plus', 3, '{at}', '{at}', 0, 'aliyun', 0.001)"
)
ROW = (
    "INSERT INTO request_log (request_id, user_id, ip_address, image_hash, image_size, category, "
    "confidence, from_cache, processing_time_ms, created_at, cost, outcome, saved, source) VALUES "
    "('{id}', 'u1', '192.0.2.1', '{hash}', 5, 'pets', 0.9, 0, 7, '{at}', 0.001, 'ok', 0, 'llm')"
)


def install(database: ScratchDatabase) -> None:
    """Make the first release's tables, with an entry and two rows of the log."""
    kind = "sqlite" if database.url.startswith("sqlite") else "mysql"
    text = (Path(__file__).parent / f"{kind}.sql").read_text()
    waiting = [statement for statement in re.split(r";\n", text) if statement.strip()]
    while waiting:  # a table is made after those that it refers to
        waiting = [statement for statement in waiting if not _executed(database, statement)]
    write(database, KNOWN, "first")
    database.query(ROW.format(id="second", hash=KNOWN, at="2026-11-01 12:00:00"))


def _executed(database: ScratchDatabase, statement: str) -> bool:
    try:
        database.query(statement)
    except Exception as error:
        if "150" not in str(error) and "1452" not in str(error) and "1146" not in str(error):
            raise
        return False
    return True


def write(database: ScratchDatabase, image_hash: str, request_id: str) -> None:
    """Keep an answer and log its request, as the first release does."""
    at = "2026-11-01 10:00:00"
    database.query(ENTRY.format(hash=image_hash, at=at))
    database.query(ROW.format(id=request_id, hash=image_hash, at=at))
