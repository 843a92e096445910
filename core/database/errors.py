"""Classifies database errors, with advice for operators."""

from django.db import Error, InterfaceError, OperationalError

CHECK_SERVER = "Start the server, or check the host and the port in DATABASE_URL."
MIGRATE = "Run manage.py migrate."
# By MySQL's error number.
ADVICE = {
    1040: "Raise max_connections on the server, or lower WEB_WORKERS.",
    1044: "Let the user of DATABASE_URL use this database: GRANT ALL ON name.* TO user.",
    1045: "Check the user and the password in DATABASE_URL.",
    1049: "Make the database: CREATE DATABASE name CHARACTER SET utf8mb4.",
    1698: "Check the user and the password in DATABASE_URL.",
    2002: CHECK_SERVER,
    2003: CHECK_SERVER,
    2005: "Check the host in DATABASE_URL.",
    2006: CHECK_SERVER,
    2013: CHECK_SERVER,
    2026: "Check ssl_mode in DATABASE_URL, and the server's certificate.",
    1054: MIGRATE,
    1146: MIGRATE,
    1021: "Free some space on the database's disk.",
    1114: "Free some space on the database's disk.",
    1142: "Let the user of DATABASE_URL use this database: GRANT ALL ON name.* TO user.",
    1290: "The server is read-only: make it writable, or name another in DATABASE_URL.",
}
# By the beginning of SQLite's message.
SQLITE_ADVICE = {
    "no such table": MIGRATE,
    "no such column": MIGRATE,
    "unable to open database file": "Check that this user may write its folder.",
    "attempt to write a readonly database": "Check that this user may write the file.",
    "database or disk is full": "Free some space on its disk.",
    "file is not a database": "Name another file in DATABASE_URL, or move that one away.",
    "database is locked": "Another process holds it; wait, or stop that one.",
}
# MariaDB's and MySQL's error numbers for values a column does not accept, which the driver raises
# as OperationalError all the same: out of range, truncated, invalid dates, invalid or incomparable
# characters, too long, invalid JSON, and violated checks.
REFUSED_VALUE = {1264, 1265, 1267, 1271, 1292, 1300, 1366, 1406, 3140, 3819, 3988, 4025}
# A lock wait timeout, a deadlock, or a conflict with another node of a cluster: the statement, or
# its whole transaction, was rolled back and can be retried.
CONFLICTS = {1205, 1213}


def is_conflict(error: BaseException) -> bool:
    """Whether a conflict with another transaction rolled this one back."""
    return bool(error.args) and error.args[0] in CONFLICTS


def is_transient(error: BaseException) -> bool:
    """Whether the database is down or busy, so that a retry may succeed."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    return not (error.args and error.args[0] in REFUSED_VALUE)


def advice(error: Error) -> str:
    """What an operator can do about an error; "" if nothing."""
    code, *_ = (*error.args, "")
    if isinstance(code, int):
        return ADVICE.get(code, "")
    return next((does for says, does in SQLITE_ADVICE.items() if str(code).startswith(says)), "")


def explain(error: BaseException | None) -> str:
    """What happened and what to do, in one line; "" if there is no advice.

    Leaves out the database's own message, which may name users and hosts.
    """
    while isinstance(error, Error):
        code, *_ = (*error.args, "")
        if does := advice(error):
            return f"The database cannot be used ({code}). {does}"
        error = error.__context__  # Django's migrations wrap it in their own
    return ""
