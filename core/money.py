"""Money in millionths of a yuan, since integers compare and add up exactly in every database."""

from decimal import ROUND_CEILING, Decimal

MILLION = 1_000_000


def millionths(yuan: Decimal) -> int:
    """The amount in millionths of a yuan, rounded up."""
    return int((Decimal(yuan) * MILLION).to_integral_value(ROUND_CEILING))


def in_yuan(millionths: int) -> Decimal:
    """An amount of millionths in yuan."""
    return Decimal(millionths) / MILLION
