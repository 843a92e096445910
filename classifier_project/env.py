"""Strict readers of environment variables.

Each raises ImproperlyConfigured with a sentence that names the variable, so that a typing
error stops the start instead of changing what the service does.
"""

import ipaddress
import json
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}


class Env:
    """The environment, with a `.env` file beneath it (the environment wins)."""

    def __init__(self, env_file: str) -> None:
        # What the file alone says; server processes inherit it as their environment.
        file: Any = type("File", (environ.Env,), {"ENVIRON": {}})
        file.read_env(env_file)
        self._file: dict[str, str] = file.ENVIRON
        environ.Env.read_env(env_file)
        self._environ = environ.Env.ENVIRON

    def source(self, name: str) -> str:
        """Where the variable is set: environment, .env, or default when it is not."""
        value = self._environ.get(name, "")
        if not value.strip():
            return "default"
        return ".env" if self._file.get(name) == value else "environment"

    def text(self, name: str, default: str = "") -> str:
        """The variable without surrounding white space; an empty one counts as not set."""
        return self._environ.get(name, "").strip() or default

    def words(self, name: str, default: Sequence[str] = ()) -> list[str]:
        """A comma-separated list, empty items left out."""
        text = self.text(name)
        return [word.strip() for word in text.split(",") if word.strip()] if text else list(default)

    def boolean(self, name: str, default: bool) -> bool:
        """true/false, yes/no, on/off or 1/0 in either case."""
        text = self.text(name).lower()
        if not text:
            return default
        if text not in TRUE | FALSE:
            raise ImproperlyConfigured(f"{name} must be true or false, not {text!r}.")
        return text in TRUE

    def integer(self, name: str, default: int, *, minimum: int = 1, maximum: int = 2**31) -> int:
        """A whole number from `minimum` to `maximum`."""
        text = self.text(name)
        if not text:
            return default
        try:
            number = int(text)
        except ValueError:
            raise ImproperlyConfigured(f"{name} must be a whole number, not {text!r}.") from None
        if not minimum <= number <= maximum:
            raise ImproperlyConfigured(f"{name} must be from {minimum} to {maximum}, not {number}.")
        return number

    def decimal(
        self, name: str, default: str, *, minimum: str = "0", maximum: str = "1000000"
    ) -> Decimal:
        """A decimal number from `minimum` to `maximum`."""
        text = self.text(name, default)
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise ImproperlyConfigured(f"{name} must be a number, not {text!r}.") from None
        if not (number.is_finite() and Decimal(minimum) <= number <= Decimal(maximum)):
            raise ImproperlyConfigured(f"{name} must be from {minimum} to {maximum}, not {text}.")
        return number

    def optional_decimal(self, name: str) -> Decimal | None:
        """A decimal number from 0, or None when not set."""
        return self.decimal(name, "0") if self.text(name) else None

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        """One of `choices`, in either case."""
        by_lower = {choice.lower(): choice for choice in choices}
        text = self.text(name, default).lower()
        if text not in by_lower:
            raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {text!r}.")
        return by_lower[text]

    def url(self, name: str, default: str, schemes: Sequence[str]) -> str:
        """An address that begins with one of `schemes`. The value is not repeated in the
        refusal, as it may hold a password."""
        text = self.text(name, default)
        if text and text.partition("://")[0] not in schemes:
            raise ImproperlyConfigured(f"{name} must begin with one of {', '.join(schemes)}://.")
        return text

    def emails(self, name: str) -> list[str]:
        """Comma-separated e-mail addresses."""
        words = self.words(name)
        try:
            for word in words:
                validate_email(word)
        except ValidationError:
            raise ImproperlyConfigured(
                f"{name} must be e-mail addresses separated by commas."
            ) from None
        return words

    def networks(self, name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """Comma-separated addresses or networks, such as 10.0.0.0/8."""
        try:
            return [ipaddress.ip_network(word) for word in self.words(name)]
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{name} must be addresses or networks separated by commas: {error}."
            ) from None

    def json(self, name: str) -> Any:
        """The parsed JSON value, or None when not set."""
        text = self.text(name)
        try:
            return json.loads(text, parse_float=Decimal) if text else None
        except ValueError as error:
            raise ImproperlyConfigured(f"{name} must be JSON: {error}.") from None
