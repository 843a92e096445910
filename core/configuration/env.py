"""Strict readers of environment variables.

Each raises ImproperlyConfigured with a message that names the variable, so that a typo stops the
start instead of changing what the service does.
"""

import difflib
import ipaddress
import json
import os
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

from core.configuration import addresses, env_file

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}
# The similarity from which an unknown name counts as a typo of one of ours.
SIMILARITY = 0.85
# Names other services use -> ours.
OTHER_NAMES = {
    "API_KEY": "LLM_API_KEY",
    "DASHSCOPE_API_KEY": "LLM_API_KEY",
    "DB_URL": "DATABASE_URL",
    "HOST": "APP_HOST",
    "LLM_API_URL": "LLM_BASE_URL",
    "MYSQL_DB": "MYSQL_DATABASE",
    "MYSQL_PASS": "MYSQL_PASSWORD",
    "MYSQL_USERNAME": "MYSQL_USER",
    "PORT": "APP_PORT",
    "REDIS_URL": "CACHE_URL",
    "TZ": "TIME_ZONE",
    "WORKERS": "WEB_WORKERS",
}


class Env:
    """The environment on top of a `.env` file."""

    def __init__(self, env_file_path: Path) -> None:
        self._environ = os.environ
        self._file = env_file.read(env_file_path, self._environ)
        self._known: set[str] = set()
        # Child processes inherit the file's variables.
        for name, value in self._file.items():
            self._environ.setdefault(name, value)

    def look_alikes(self) -> dict[str, str]:
        """Variables that are set but unknown, and look like a typo -> the name that was probably
        meant."""
        by_letters = {_letters(name): name for name in self._known}
        # Other services' names only count in the file: many environments have a PORT.
        found = {name: OTHER_NAMES[name] for name in self._file if name in OTHER_NAMES}
        for name in {*self._file, *self._environ} - self._known - found.keys():
            for close in difflib.get_close_matches(_letters(name), by_letters, 1, SIMILARITY):
                found[name] = by_letters[close]
        return {name: ours for name, ours in sorted(found.items()) if not self._environ.get(ours)}

    def source(self, name: str) -> str:
        """Where the variable is set: "environment", ".env", or "default" if it is not set."""
        value = self._environ.get(name, "")
        if not value.strip():
            return "default"
        return ".env" if self._file.get(name) == value else "environment"

    def text(self, name: str, default: str = "") -> str:
        """The variable without surrounding whitespace; an empty one counts as not set."""
        self._known.add(name)
        return self._environ.get(name, "").strip() or default

    def token(self, name: str, default: str = "") -> str:
        """A key, token or model name: printable ASCII that an HTTP header can carry, without
        quotes."""
        return _token(name, self.text(name, default))

    def tokens(self, name: str) -> list[str]:
        """Comma-separated tokens."""
        return [_token(name, word) for word in self.words(name)]

    def words(self, name: str, default: Sequence[str] = ()) -> list[str]:
        """A comma-separated list without empty items."""
        text = self.text(name)
        return [word.strip() for word in text.split(",") if word.strip()] if text else list(default)

    def boolean(self, name: str, default: bool) -> bool:
        """true/false, yes/no, on/off or 1/0, case-insensitive."""
        text = self.text(name).lower()
        if not text:
            return default
        if text not in TRUE | FALSE:
            raise ImproperlyConfigured(f"{name} must be true or false.")
        return text in TRUE

    def integer(self, name: str, default: int, *, minimum: int = 1, maximum: int = 2**31) -> int:
        """A whole number from `minimum` to `maximum`."""
        text = self.text(name)
        if not text:
            return default
        try:
            number = int(text)
        except ValueError:
            raise ImproperlyConfigured(f"{name} must be a whole number.") from None
        if not minimum <= number <= maximum:
            raise ImproperlyConfigured(f"{name} must be from {minimum} to {maximum}.")
        return number

    def decimal(
        self, name: str, default: str, *, minimum: str = "0", maximum: str = "1000000"
    ) -> Decimal:
        """A decimal number from `minimum` to `maximum`."""
        text = self.text(name, default)
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise ImproperlyConfigured(f"{name} must be a number.") from None
        if not (number.is_finite() and Decimal(minimum) <= number <= Decimal(maximum)):
            raise ImproperlyConfigured(f"{name} must be from {minimum} to {maximum}.")
        return number

    def optional_decimal(self, name: str) -> Decimal | None:
        """A decimal number from 0, or None when not set."""
        return self.decimal(name, "0") if self.text(name) else None

    def choice(
        self,
        name: str,
        default: str,
        choices: Sequence[str],
        other_words: Mapping[str, str] | None = None,
    ) -> str:
        """One of `choices`, case-insensitive; `other_words` maps aliases to choices."""
        by_lower = {choice.lower(): choice for choice in choices} | dict(other_words or {})
        text = self.text(name, default).lower()
        if text not in by_lower:
            words = ", ".join([*choices, *(other_words or ())])
            raise ImproperlyConfigured(f"{name} must be one of {words}.")
        return by_lower[text]

    def url(self, name: str, default: str, schemes: Sequence[str]) -> str:
        """A URL with a host and one of `schemes`; empty if not set."""
        text = self.text(name, default)
        if text:
            addresses.url(name, text, schemes)
        return text

    def hosts(self, name: str, default: Sequence[str]) -> list[str]:
        """Comma-separated hosts as Django's ALLOWED_HOSTS takes them."""
        return [addresses.pattern(name, word) for word in self.words(name, default)]

    def origins(self, name: str) -> list[str]:
        """Comma-separated origins, such as https://photos.example.com."""
        return [addresses.origin(name, word) for word in self.words(name)]

    def sender(self, name: str, default: str) -> str:
        """An e-mail address, with or without a name before it."""
        text = self.text(name, default)
        if not text.isprintable() or not _is_email(parseaddr(text)[1]):
            raise ImproperlyConfigured(f"{name} must be an e-mail address.")
        return text

    def emails(self, name: str) -> list[str]:
        """Comma-separated e-mail addresses."""
        words = self.words(name)
        if not all(map(_is_email, words)):
            raise ImproperlyConfigured(f"{name} must be e-mail addresses separated by commas.")
        return words

    def networks(self, name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """Comma-separated addresses or networks, such as 10.0.0.0/8."""
        try:
            return [ipaddress.ip_network(word) for word in self.words(name)]
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} must be addresses or networks such as 10.0.0.0/8, separated by commas."
            ) from None

    def time_zone(self, name: str, default: str) -> str:
        """The name of a time zone that this machine knows."""
        text = self.text(name, default)
        try:
            ZoneInfo(text)
        except (KeyError, ValueError, OSError):  # OSError for a directory of zones
            raise ImproperlyConfigured(
                f"{name} must be the name of a time zone, such as Asia/Shanghai."
            ) from None
        return text

    def json(self, name: str) -> Any:
        """The parsed JSON value, or None when not set."""
        text = self.text(name)
        try:
            return json.loads(text, parse_float=Decimal) if text else None
        except (ValueError, RecursionError) as error:
            raise ImproperlyConfigured(f"{name} must be JSON: {error}.") from None


def _token(name: str, text: str) -> str:
    for position, character in enumerate(text, 1):
        if not "!" <= character <= "~" or character in "\"'`":
            raise ImproperlyConfigured(
                f"{name} has a blank, a quotation mark, or a character that is not in ASCII as "
                f"its character {position}; perhaps it was copied along."
            )
    return text


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name)).upper()
