"""DATABASES from DATABASE_URL, or from the older MYSQL_* variables, or an SQLite file."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import environ
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from classifier_project.env import Env

# A database that is down is reported within three seconds.
CONNECT_TIMEOUT_SECONDS = 2
# Connections per process: two processes, their background writers and health checks stay
# well under MariaDB's default of 151, with two hosts on one server.
POOL_SIZE = 24


def database_url(env: Env, var: Path) -> str:
    """The database's address, by DATABASE_URL, else MYSQL_*, else an SQLite file in `var`."""
    if host := env.text("MYSQL_HOST"):
        user = quote(env.text("MYSQL_USER", "root"), safe="")
        password = quote(env.text("MYSQL_PASSWORD"), safe="")
        port = env.integer("MYSQL_PORT", 3306, maximum=65535)
        name = env.text("MYSQL_DATABASE", "image_classifier")
        older = f"mysql://{user}:{password}@{host}:{port}/{name}"
    else:
        older = f"sqlite:///{var / 'db.sqlite3'}"
    return env.url("DATABASE_URL", older, ("mysql", "sqlite"))


def wait_at_most(seconds: int) -> None:
    """Let a command give up on a silent database; to be called before it asks anything."""
    if connection.vendor == "mysql":
        options = connection.settings_dict["OPTIONS"]
        options["read_timeout"] = options["write_timeout"] = seconds


def database(url: str, time_zone: str, *, read_timeout: int | None) -> dict[str, Any]:
    """Django's settings of the database at `url`.

    `read_timeout` is in seconds for one answer of the server; None waits without end.
    """
    config: dict[str, Any] = environ.Env.db_url_config(url)
    # Times are stored as the wall clock shows them, so that created_date is the local day.
    config["TIME_ZONE"] = time_zone
    if url.startswith("sqlite"):
        Path(config["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        config["CONN_MAX_AGE"] = 60
        # A file, since threads that share a database in memory lock one another out.
        config["TEST"] = {"NAME": str(Path(config["NAME"]).with_suffix(".test"))}
        config["OPTIONS"] = {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
        return config
    if not config.get("NAME"):
        raise ImproperlyConfigured("DATABASE_URL must end with the name of a database.")
    config["ENGINE"] = "classifier_project.mysql_pool"
    config["OPTIONS"] = {
        **config.get("OPTIONS", {}),
        "charset": "utf8mb4",
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        # Set once per connection here, not on every check-out as Django would.
        "isolation_level": None,
        "init_command": "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "sql_mode": "STRICT_TRANS_TABLES",
        "pool_size": POOL_SIZE,
    }
    if read_timeout:
        config["OPTIONS"]["read_timeout"] = read_timeout
        config["OPTIONS"]["write_timeout"] = read_timeout
    config["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_unicode_ci"}
    return config
