"""Databases as the older service left them, in each variant found in the field."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tests.support.servers import ScratchDatabase

# As SQLAlchemy made them; the unique request id would forbid a batch's second row.
PLAIN = """
CREATE TABLE image_classification_cache (
    id INT AUTO_INCREMENT PRIMARY KEY,
    image_hash VARCHAR(64) NOT NULL UNIQUE COMMENT 'SHA-256',
    category VARCHAR(50) NOT NULL,
    confidence DECIMAL(5,4) NOT NULL,
    description TEXT,
    model_used VARCHAR(50) NOT NULL,
    model_response JSON,
    hit_count INT DEFAULT 1,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    last_hit_at DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    INDEX idx_image_hash (image_hash), INDEX idx_category (category),
    INDEX idx_created_at (created_at), INDEX idx_hit_count (hit_count)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE request_log (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    request_id VARCHAR(64) NOT NULL UNIQUE,
    user_id VARCHAR(64),
    ip_address VARCHAR(45),
    image_hash VARCHAR(64) NOT NULL,
    image_size INT,
    category VARCHAR(50) NOT NULL,
    confidence DECIMAL(5,4) NOT NULL,
    from_cache BOOLEAN DEFAULT FALSE,
    processing_time_ms INT,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    created_date DATE GENERATED ALWAYS AS (DATE(created_at)) STORED,
    INDEX idx_user_id (user_id), INDEX idx_image_hash (image_hash),
    INDEX idx_created_at (created_at), INDEX idx_created_date (created_date)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE system_config (config_key VARCHAR(50) PRIMARY KEY, config_value TEXT);
INSERT INTO system_config VALUES ('classification_prompt', '请分类')
"""
# Everything NOT NULL, times as TIMESTAMP, the reply as plain words, a column of its own, and
# index names that are ours, on our columns or on others.
STRICT = """
CREATE TABLE image_classification_cache (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT,
    image_hash CHAR(64) NOT NULL,
    category VARCHAR(32) NOT NULL DEFAULT 'other',
    confidence DOUBLE NOT NULL,
    description VARCHAR(500) NOT NULL DEFAULT '',
    model_used VARCHAR(50) NOT NULL,
    model_response TEXT NOT NULL,
    hit_count SMALLINT UNSIGNED NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    last_hit_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    image_type VARCHAR(20) NOT NULL,
    PRIMARY KEY (id), UNIQUE KEY uk_hash (image_hash), KEY cache_created_at (category)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE request_log (
    id INT NOT NULL AUTO_INCREMENT,
    request_id VARCHAR(36) NOT NULL,
    user_id VARCHAR(64) NOT NULL,
    ip_address VARCHAR(45) NOT NULL,
    image_hash CHAR(64) NOT NULL,
    image_size INT NOT NULL,
    category VARCHAR(50) NOT NULL,
    confidence FLOAT NOT NULL,
    from_cache TINYINT(1) NOT NULL,
    processing_time_ms INT NOT NULL,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    created_date DATE GENERATED ALWAYS AS (CAST(created_at AS DATE)) VIRTUAL,
    PRIMARY KEY (id), KEY log_created_date (user_id, created_at), KEY by_request (request_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
"""
# Case matters to its collation; MyISAM; an ENUM; the day was written by the service itself.
BINARY = """
CREATE TABLE image_classification_cache (
    id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
    image_hash VARCHAR(64) NOT NULL,
    category VARCHAR(50),
    confidence DECIMAL(5,4),
    description LONGTEXT,
    model_used VARCHAR(50),
    model_response LONGTEXT,
    hit_count INT,
    created_at DATETIME(3) NULL,
    last_hit_at DATETIME(6) NULL,
    UNIQUE KEY image_hash (image_hash)
) ENGINE=MyISAM DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE request_log (
    id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
    request_id VARCHAR(64),
    user_id VARCHAR(64),
    ip_address VARCHAR(45),
    image_hash VARCHAR(64),
    image_size BIGINT,
    category ENUM('social_activities', 'pets', 'single_person', 'foods', 'travel_scenery',
        'screenshot', 'idcard', 'other', 'animals'),
    confidence DECIMAL(5,4),
    from_cache TINYINT(1),
    processing_time_ms INT,
    created_at DATETIME(6) NOT NULL,
    created_date DATE,
    KEY image_hash (image_hash)
) ENGINE=MyISAM DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
"""
SCHEMAS = {"plain": PLAIN, "strict": STRICT, "binary": BINARY}

CACHE, LOG = "image_classification_cache", "request_log"
COLUMNS = {
    CACHE: "id, image_hash, category, confidence, description, model_used, model_response, "
    "hit_count, created_at, last_hit_at",
    LOG: "id, request_id, user_id, ip_address, image_hash, image_size, category, confidence, "
    "from_cache, processing_time_ms, created_at, created_date",
}
MIDNIGHT = datetime(2026, 3, 1)
MODEL = "qwen-vl-plus"


class OldEntry(NamedTuple):
    image_hash: str
    category: str
    confidence: float
    description: str | None
    hit_count: int = 3
    reply: str | None = '{"output": "一只猫"}'
    created_at: datetime = MIDNIGHT


def _hash(number: int) -> str:
    return f"{number:064x}".replace("0", "e", 3)


ANSWERS = [
    OldEntry(_hash(1), "pets", 0.95, "一只橘猫 🐱"),
    OldEntry(_hash(2), "idcard", 0.99, "王小明的身份证 11010119900101"),
    OldEntry(_hash(0xABCDEF).upper(), "foods", 0.8, "一碗面", 70),
    OldEntry(_hash(4), "other", 0.5, "一块木板"),
    OldEntry(_hash(5), "screenshot", 0.5, "错误页面的截图"),
    OldEntry(_hash(6), "travel_scenery", 1, "雪山", reply="{}"),
    OldEntry(_hash(7), "social_activities", 0, "聚会", hit_count=0),
    OldEntry(_hash(8), "single_person", 0.7, "", created_at=MIDNIGHT + timedelta(days=2000)),
]
# Each could never have been right; none may be served.
FAILED = [
    OldEntry(_hash(20), "other", 0.5, "分类失败: timed out"),
    OldEntry(_hash(21), "other", 0.5, "API call failed: InvalidApiKey"),
    OldEntry(_hash(22), "other", 0.5, "", reply='{"error": "Request timed out"}'),
]
WRONG = [
    *FAILED,
    OldEntry(_hash(23), "animals", 0.9, "一只猫"),
    OldEntry(_hash(24), "pets", 1.5, "一只狗"),
    OldEntry(_hash(25), "pets", -0.2, "一只狗"),
    OldEntry("not-a-hash", "pets", 0.9, "一只狗"),
]


def install(database: ScratchDatabase, variant: str) -> None:
    """The tables of a variant, with its rows."""
    for statement in SCHEMAS[variant].split(";\n"):
        database.query(statement)
    connection = database._connect()
    cursor = connection.cursor()
    own = {"image_type": "jpg"} if variant == "strict" else {}
    for entry in [*ANSWERS, *WRONG]:
        _insert(cursor, CACHE, _entry(entry, variant) | own)
    for number in range(48):
        _insert(cursor, LOG, _request(number, variant))
    connection.commit()
    connection.close()


def _entry(entry: OldEntry, variant: str) -> dict[str, Any]:
    is_words = variant == "strict" and entry.reply == '{"output": "一只猫"}'
    return {
        "image_hash": entry.image_hash,
        "category": entry.category,
        "confidence": entry.confidence,
        "description": entry.description,
        "model_used": MODEL,
        "model_response": "好的，这是一只猫" if is_words else entry.reply,
        "hit_count": entry.hit_count,
        "created_at": entry.created_at,
        "last_hit_at": entry.created_at + timedelta(hours=1),
    }


def _request(number: int, variant: str) -> dict[str, Any]:
    """A request every hour around midnight: three of four are hits."""
    entries = [*ANSWERS[:4], FAILED[0], WRONG[3]]
    entry = entries[number % len(entries)]
    at = MIDNIGHT + timedelta(hours=number - 24, seconds=-1)
    row = {
        "request_id": f"old-{number}",
        "user_id": f"u{number % 3}",
        "ip_address": "192.0.2.7",
        "image_hash": entry.image_hash,
        "image_size": 1000 + number,
        "category": entry.category,
        "confidence": entry.confidence,
        "from_cache": number % 4 > 0,
        "processing_time_ms": number,
        "created_at": at,
    }
    return row | {"created_date": at.date()} if variant == "binary" else row


def _insert(cursor: Any, table: str, row: dict[str, Any]) -> None:
    marks = ", ".join(["%s"] * len(row))
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})",
        list(row.values()),
    )
