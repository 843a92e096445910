"""Examines this host: settings, Redis, disks, static files and the log."""

import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core import checks
from django.core.cache import cache

from core.sharing.cache_errors import cache_errors
from operations import adoption_notes
from operations.doctor.database import free_space
from operations.doctor.findings import Finding, Options, ok, problem, warning

TLS_ADVICE = "Set CSRF_TRUSTED_ORIGINS to the https:// addresses that staff use."
WITHOUT_TLS = {"security.W004", "security.W008", "security.W012", "security.W016"}
ONLY_FOR_OTHERS = WITHOUT_TLS | {"classification.E001"}
BEFORE_OTHERS_COME = (
    "Only this machine reaches the service. Before others do, set ALLOWED_HOSTS, SECRET_KEY, and "
    "CSRF_TRUSTED_ORIGINS to the https:// addresses that staff use."
)
# Replaces Django's hints that name settings which are not environment variables here.
ADVICE = {
    "security.W009": "Set SECRET_KEY to 50 random characters or more, the same on every host.",
    "security.W018": "Set DEBUG to false, or leave it out.",
    "security.W020": "Set ALLOWED_HOSTS to this service's host names.",
}


def examine_settings(options: Options) -> Iterator[Finding]:
    """What manage.py check --deploy finds."""
    everything = [
        message
        for message in checks.run_checks(include_deployment_checks=True)
        if not message.is_silenced()
    ]
    found = everything
    if settings.SECRET_KEY_IS_GENERATED and set(settings.ALLOWED_HOSTS) <= set(
        settings.LOCAL_HOSTS
    ):
        found = [message for message in found if message.id not in ONLY_FOR_OTHERS]
        yield ok("settings", BEFORE_OTHERS_COME)
    elif insecure := sorted({message.id or "" for message in found} & WITHOUT_TLS):
        found = [message for message in found if message.id not in WITHOUT_TLS]
        yield warning(
            "settings", f"Staff use the pages without https ({', '.join(insecure)}).", TLS_ADVICE
        )
    for message in found:
        level = problem if message.level >= checks.ERROR else warning
        advice = ADVICE.get(message.id or "") or message.hint or "See Django's system checks."
        yield level("settings", f"{message.msg} ({message.id})", advice)
    if not found:
        nothing = "nothing else" if everything else "nothing"
        yield ok("settings", f"manage.py check --deploy finds {nothing}.")


def examine_older_apps(options: Options) -> Iterator[Finding]:
    """Whether apps of the older service wait long enough for an answer."""
    if adoption_notes.older_entries() and adoption_notes.is_timeout_too_long():
        yield warning(
            "apps",
            f"Apps of the older service give up after {adoption_notes.CLIENT_SECONDS} s; "
            f"LLM_TIMEOUT is {settings.LLM_TIMEOUT}.",
            f"Set LLM_TIMEOUT to {adoption_notes.CLIENT_SECONDS - 5}.",
        )


def examine_cache(options: Options) -> Iterator[Finding]:
    """Whether Redis works."""
    if not settings.CACHE_URL:
        yield ok("cache", "In each process; with CACHE_URL, several hosts can share hot entries.")
        return
    try:
        cache.set("doctor", "well", 10)
        is_well = cache.get("doctor") == "well"
    except cache_errors():
        is_well = False
    if is_well:
        yield ok("cache", "Redis reads and writes work.")
    else:
        yield problem(
            "cache",
            "Redis is not responding; requests are served without it, but more slowly.",
            "Start Redis, or check CACHE_URL.",
        )


def examine_disks(options: Options) -> Iterator[Finding]:
    """Free space for the state directory and the log."""
    folders = {"disk of the state": settings.STATE_DIR}
    if settings.LOG_FILE:
        folders["disk of the log"] = Path(settings.LOG_FILE).resolve().parent
    for subject, folder in folders.items():
        yield free_space(subject, folder, options.free_mb)


def examine_state(options: Options) -> Iterator[Finding]:
    """Whether the state directory is writable."""
    folder = settings.STATE_DIR
    above = next(each for each in (folder, *folder.parents) if each.exists())
    if above.is_dir() and os.access(above, os.W_OK):
        yield ok("state", f"This user can write to {folder}.")
    else:
        yield problem(
            "state",
            f"This user cannot write to {folder}.",
            "Set STATE_DIRECTORY to a folder of the service's user, and run this as that user.",
        )


def examine_static_files(options: Options) -> Iterator[Finding]:
    """Whether the static files have been collected."""
    if settings.DEBUG or (settings.STATIC_ROOT / "staticfiles.json").exists():
        yield ok("static files", "Collected.")
    else:
        yield warning(
            "static files",
            "Not collected: browsers get them uncompressed, and again on every visit.",
            "Run manage.py collectstatic --noinput.",
        )


def examine_log(options: Options) -> Iterator[Finding]:
    """Whether this user can write the log file."""
    path = settings.LOG_FILE
    if not path:
        yield ok("log", "Written to standard error, for the service manager to keep.")
    elif os.access(path, os.W_OK):
        yield ok("log", f"{path} is writable.")
    else:
        yield problem(
            "log", f"{path} is not writable.", "Run chown to give it to the service's user."
        )


def examine_proxies(options: Options) -> Iterator[Finding]:
    """Whether proxy variables are set, which are ignored: no proxy may see photos or keys."""
    names = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
    found = [name for name in names if os.environ.get(name) or os.environ.get(name.lower())]
    if found:
        yield warning(
            "proxy",
            f"{', '.join(found)} is set and ignored: "
            "the model and the group bots are called directly.",
            "Make sure that this host can reach them directly; nothing else is needed.",
        )
    else:
        yield ok("proxy", "None is set; the model and the group bots are called directly.")
