"""Builds DATABASES from DATABASE_URL, from the older MYSQL_* variables, or for an SQLite file."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote

from django.core.exceptions import ImproperlyConfigured

from core.configuration import addresses, folders
from core.configuration.env import Env

# A database that is down is reported within three seconds.
CONNECT_TIMEOUT_SECONDS = 2
DEFAULT_PORT = 3306
# Connections per process: two processes, their background writers and health checks stay
# well under MariaDB's default of 151, with two hosts on one server.
POOL_SIZE = 24
# Options allowed in the query of a MariaDB URL; unknown ones would make every connection fail.
OPTIONS = {
    "charset",
    "connect_timeout",
    "read_default_file",
    "read_default_group",
    "ssl_mode",
    "unix_socket",
}


def database_url(env: Env, state_dir: Path) -> str:
    """The database's URL: DATABASE_URL, else built from MYSQL_*, else an SQLite file in
    `state_dir`."""
    if text := env.text("MYSQL_HOST"):
        host = addresses.host("MYSQL_HOST", text)
        host = f"[{host}]" if ":" in host else host
        user = quote(env.text("MYSQL_USER", "root"), safe="")
        password = quote(env.text("MYSQL_PASSWORD"), safe="")
        port = env.integer("MYSQL_PORT", DEFAULT_PORT, maximum=65535)
        name = env.text("MYSQL_DATABASE", "image_classifier")
        older = f"mysql://{user}:{password}@{host}:{port}/{name}"
    else:
        older = f"sqlite:///{quote(str(state_dir / 'db.sqlite3'))}"
    return env.text("DATABASE_URL", older)


def database(
    url: str, time_zone: str, *, read_timeout: int | None, variable: str = "DATABASE_URL"
) -> dict[str, Any]:
    """Django's settings for the database at `url`, the value of `variable`.

    `read_timeout` is in seconds for one response of the server; None waits forever. Raises
    ImproperlyConfigured naming the variable.
    """
    # Times are stored in local time, so that created_date is the local day.
    if url.startswith("sqlite:"):
        parts = addresses.url(variable, url, ("mysql", "sqlite"), needs_host=False)
        return _sqlite(parts, variable) | {"TIME_ZONE": time_zone}
    parts, *others = (
        addresses.url(variable, one, ("mysql", "sqlite")) for one in _by_host(url, variable)
    )
    config = _mariadb(parts, read_timeout, variable) | {"TIME_ZONE": time_zone}
    if others:
        hosts = [(each.hostname, each.port or DEFAULT_PORT) for each in (parts, *others)]
        config["OPTIONS"]["hosts"] = hosts
    return config


def _by_host(url: str, variable: str) -> list[str]:
    """One URL per host of a list such as mysql://user:pass@db1:3306,db2:3306/name; the first is
    tried first."""
    scheme, _, rest = url.partition("://")
    before, slash, path = rest.partition("/")
    user, at, hosts = before.rpartition("@")
    names = hosts.split(",")
    if len(names) > 1 and variable != "DATABASE_URL":
        raise ImproperlyConfigured(f"{variable} must name one host.")
    if len(set(names)) < len(names):
        raise ImproperlyConfigured(f"{variable} must name each host once.")
    return [f"{scheme}://{user}{at}{name}{slash}{path}" for name in names]


def _sqlite(parts: SplitResult, variable: str) -> dict[str, Any]:
    file = Path(unquote(parts.path[1:]))
    if parts.netloc or parts.query or not file.name or file.name == ":memory:":
        raise ImproperlyConfigured(
            f"{variable} must name a file for SQLite, such as sqlite:////srv/photos.sqlite3."
        )
    folders.make_writable(file.parent, variable)
    if file.is_dir() or (file.exists() and not os.access(file, os.W_OK)):
        raise ImproperlyConfigured(f"{variable}: {file} is no file that can be written.")
    return {
        "ENGINE": "core.sqlite",
        "NAME": str(file),
        "CONN_MAX_AGE": 60,
        # A file, since threads that share an in-memory database lock each other out.
        "TEST": {"NAME": str(file.with_suffix(".test"))},
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }


def _mariadb(parts: SplitResult, read_timeout: int | None, variable: str) -> dict[str, Any]:
    if not parts.path.strip("/"):
        raise ImproperlyConfigured(f"{variable} must end with the name of a database.")
    given = parse_qsl(parts.query, keep_blank_values=True)
    if {name for name, _ in given} - OPTIONS:
        raise ImproperlyConfigured(
            f"{variable} has an option after its ? that is none of {', '.join(sorted(OPTIONS))}."
        )
    options: dict[str, Any] = {
        **{name: int(value) if value.isdecimal() else value for name, value in given},
        "charset": "utf8mb4",
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        # Set once per connection, instead of on every checkout as Django would.
        "isolation_level": None,
        "init_command": "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "sql_mode": "STRICT_TRANS_TABLES",
        "pool_size": POOL_SIZE,
    }
    if read_timeout:
        options["read_timeout"] = options["write_timeout"] = read_timeout
    return {
        "ENGINE": "core.mysql_pool",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": parts.port or "",
        "OPTIONS": options,
        "TEST": {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_unicode_ci"},
    }
