"""Types of command line arguments that several commands take."""

import re
from argparse import ArgumentTypeError
from datetime import timedelta
from decimal import Decimal, InvalidOperation


def days(text: str) -> timedelta:
    """A number of days such as 90d, or 90."""
    match = re.fullmatch(r"(\d{1,5})d?", text.strip())
    if not match:
        raise ArgumentTypeError(f"{text!r} is not a number of days such as 90d")
    return timedelta(days=int(match[1]))


def fraction(text: str) -> Decimal:
    """A number from 0 to 1."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal(-1)
    if not 0 <= number <= 1:
        raise ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return number


def yuan(text: str) -> Decimal:
    """An amount of money, not below 0."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0:
        raise ArgumentTypeError(f"{text!r} is not an amount of yuan such as 2.50")
    return amount
