"""This host: settings, the cache between processes, disks, static files and the log."""

import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core import checks
from django.core.cache import cache
from redis.exceptions import RedisError

from operations.doctor.database import free_space
from operations.doctor.findings import Finding, Options, ok, problem, warning

TLS_ADVICE = "Set CSRF_TRUSTED_ORIGINS to the https:// addresses that staff use."
# Where Django's own hint names a setting that is not read from the environment here.
ADVICE = {
    "security.W004": TLS_ADVICE,
    "security.W008": TLS_ADVICE,
    "security.W012": TLS_ADVICE,
    "security.W016": TLS_ADVICE,
    "security.W009": "Set SECRET_KEY to 50 random characters or more, the same on every host.",
    "security.W018": "Set DEBUG to false, or leave it out.",
    "security.W020": "Set ALLOWED_HOSTS to the names this service is reached by.",
}


def examine_settings(options: Options) -> Iterator[Finding]:
    """What manage.py check --deploy finds."""
    found = [
        message
        for message in checks.run_checks(include_deployment_checks=True)
        if not message.is_silenced()
    ]
    for message in found:
        level = problem if message.level >= checks.ERROR else warning
        advice = ADVICE.get(message.id or "") or message.hint or "See Django's system checks."
        yield level("settings", f"{message.msg} ({message.id})", advice)
    if not found:
        yield ok("settings", "manage.py check --deploy is content.")


def examine_cache(options: Options) -> Iterator[Finding]:
    """Whether the cache that processes share takes and gives."""
    if not settings.CACHE_URL:
        yield ok("cache", "In process; several hosts would share hot entries by CACHE_URL.")
        return
    try:
        cache.set("doctor", "well", 10)
        is_well = cache.get("doctor") == "well"
    except RedisError:
        is_well = False
    if is_well:
        yield ok("cache", "Redis takes and gives.")
    else:
        yield problem(
            "cache",
            "Redis does not answer; requests are served without it, but more slowly.",
            "Start Redis, or check CACHE_URL.",
        )


def examine_disks(options: Options) -> Iterator[Finding]:
    """Room under var/, and where the log is."""
    folders = {"disk of var/": settings.VAR_DIR}
    if settings.LOG_FILE:
        folders["disk of the log"] = Path(settings.LOG_FILE).resolve().parent
    for subject, folder in folders.items():
        yield free_space(subject, folder, options.free_mb)


def examine_static_files(options: Options) -> Iterator[Finding]:
    """Whether the pages' files are where the server looks for them."""
    try:
        staticfiles_storage.url("css/site.css")
        collected = settings.DEBUG or (settings.STATIC_ROOT / "css" / "site.css").exists()
    except ValueError:
        collected = False
    if collected:
        yield ok("static files", "They are collected.")
    else:
        yield problem(
            "static files",
            "They are not collected: pages have no styles, or fail.",
            "Run manage.py collectstatic --noinput.",
        )


def examine_log(options: Options) -> Iterator[Finding]:
    """Whether the log can be written by who runs this."""
    path = settings.LOG_FILE
    if not path:
        yield ok("log", "It goes to standard error, for the service manager to keep.")
    elif os.access(path, os.W_OK):
        yield ok("log", f"{path} can be written.")
    else:
        yield problem("log", f"{path} cannot be written.", "chown it to the service's user.")
