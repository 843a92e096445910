"""Reads the model table from models.toml, and an operator's own file that overrides it."""

import sys
from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from classification.providers.model_table.table import (
    STRUCTURED_OUTPUTS,
    VENDOR_TIME,
    ModelFacts,
    ModelTable,
    Price,
    first_moment,
)

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

BUILT_IN = Path(__file__).with_name("models.toml")
REQUIRED = ("vendor", "pixels_per_token", "thinks", "structured_output", "source", "checked")
OPTIONAL = ("default", "announced", "retired", "successor", "prices")
PRICE_FIELDS = {"from", *(field.name for field in fields(Price))} - {"start"}
REQUIRED_PRICES = ("input", "output", "source", "checked")


def read_table(own_file: Path | None = None) -> ModelTable:
    """The table of this release, overridden by `own_file`.

    Raises OSError, and ValueError with a message that names the model at fault.
    """
    models = _parsed(BUILT_IN)
    for name, facts in (_parsed(own_file) if own_file else {}).items():
        if facts.get("default") is True:
            _drop_default(models, facts.get("vendor") or models.get(name, {}).get("vendor"))
        models[name] = models.get(name, {}) | facts
    table = ModelTable({name: _model(name, facts) for name, facts in models.items()})
    _check_successors(table)
    _check_defaults(table)
    return table


def _parsed(file: Path) -> dict[str, dict[str, Any]]:
    # Its TOMLDecodeError is a ValueError.
    models = tomllib.loads(file.read_text("utf-8"), parse_float=Decimal)
    for name, facts in models.items():
        if not isinstance(facts, dict):
            raise ValueError(f'{name} is no table of facts; write ["{name}"] above them')
    return models


def _drop_default(models: Mapping[str, dict[str, Any]], vendor: Any) -> None:
    for facts in models.values():
        if facts.get("vendor") == vendor:
            facts.pop("default", None)


def _model(name: str, facts: Mapping[str, Any]) -> ModelFacts:
    _check_fields(name, facts, REQUIRED, OPTIONAL)
    output = _typed(name, facts, "structured_output", str)
    if output not in STRUCTURED_OUTPUTS:
        raise ValueError(f"{name}: structured_output is one of {', '.join(STRUCTURED_OUTPUTS)}")
    pixels = _typed(name, facts, "pixels_per_token", int)
    if pixels < 1:
        raise ValueError(f"{name}: pixels_per_token must be at least 1")
    return ModelFacts(
        name=name,
        vendor=_typed(name, facts, "vendor", str),
        pixels_per_token=pixels,
        thinks=_typed(name, facts, "thinks", bool),
        structured_output=output,
        source=_typed(name, facts, "source", str),
        checked=_day(name, facts, "checked"),
        default=_typed(name, facts, "default", bool) if "default" in facts else False,
        announced=_day(name, facts, "announced") if "announced" in facts else None,
        retired=_day(name, facts, "retired") if "retired" in facts else None,
        successor=_typed(name, facts, "successor", str) if "successor" in facts else "",
        prices=_prices(name, facts.get("prices", [])),
    )


def _prices(name: str, rows: Any) -> tuple[Price, ...]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{name}: prices must be a list of tables")
    earliest = datetime.min.replace(tzinfo=VENDOR_TIME)
    prices = [_price(name, row) for row in rows]
    return tuple(sorted(prices, key=lambda price: price.start or earliest, reverse=True))


def _price(name: str, row: Mapping[str, Any]) -> Price:
    _check_fields(f"{name}'s price", row, REQUIRED_PRICES, tuple(PRICE_FIELDS))
    day = _day(name, row, "from") if "from" in row else None
    return Price(
        input=_yuan(name, row, "input"),
        output=_yuan(name, row, "output"),
        start=first_moment(day) if day else None,
        cached_input=_yuan(name, row, "cached_input") if "cached_input" in row else None,
        source=_typed(name, row, "source", str),
        checked=_day(name, row, "checked"),
    )


def _check_fields(
    name: str, facts: Mapping[str, Any], required: tuple[str, ...], optional: tuple[str, ...]
) -> None:
    if missing := [field for field in required if field not in facts]:
        raise ValueError(f"{name} lacks {', '.join(missing)}")
    if unknown := sorted(set(facts) - {*required, *optional}):
        raise ValueError(f"{name} has no field {', '.join(unknown)}")


def _typed(name: str, facts: Mapping[str, Any], field: str, kind: type) -> Any:
    value = facts[field]
    if type(value) is not kind or value == "":
        raise ValueError(f"{name}: {field} must be of type {kind.__name__}, not {value!r}")
    return value


def _day(name: str, facts: Mapping[str, Any], field: str) -> date:
    day: date = _typed(name, facts, field, date)
    return day


def _yuan(name: str, row: Mapping[str, Any], field: str) -> Decimal:
    value = row[field]
    if type(value) not in (int, Decimal) or not Decimal(value).is_finite() or value < 0:
        raise ValueError(f"{name}: {field} must be a price, not {value}")
    return Decimal(value)


def _check_successors(table: ModelTable) -> None:
    for facts in table.models.values():
        if facts.retired and not facts.successor:
            raise ValueError(f"{facts.name} is retired on a day, and needs a successor")
        passed = {facts.name}
        while facts.successor:
            successor = table.get(facts.successor)
            if successor is None:
                raise ValueError(f"{facts.name}: the successor {facts.successor} has no facts")
            if successor.name in passed:
                raise ValueError(f"{facts.name}: its successors lead back to {successor.name}")
            passed.add(successor.name)
            facts = successor


def _check_defaults(table: ModelTable) -> None:
    vendors: set[str] = set()
    for facts in table.models.values():
        if facts.default and facts.vendor in vendors:
            raise ValueError(f"{facts.vendor} has more than one default")
        if facts.default:
            vendors.add(facts.vendor)
