"""The model table: prices, traits and life cycle of known models.

It is immutable once read. A name that is not in it counts as a model in service of which nothing is
known.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Literal, get_args

# The time zone of the dates in the table.
VENDOR_TIME = timezone(timedelta(hours=8))
StructuredOutput = Literal["json_schema", "json_object", "none"]
STRUCTURED_OUTPUTS: tuple[StructuredOutput, ...] = get_args(StructuredOutput)


def vendor_day(when: datetime) -> date:
    """The date at the vendor's at the aware time `when`."""
    return when.astimezone(VENDOR_TIME).date()


def first_moment(day: date) -> datetime:
    """The aware time at which a vendor's day begins."""
    return datetime.combine(day, time(), VENDOR_TIME)


@dataclass(frozen=True, slots=True)
class Price:
    """Yuan per million tokens, from the aware time `start` on (None: always).

    `cached_input` is None if the price of cached tokens is unknown; `checked` is the day the price
    was looked up, if known.
    """

    input: Decimal
    output: Decimal
    start: datetime | None = None
    cached_input: Decimal | None = None
    source: str = ""
    checked: date | None = None

    @property
    def is_free(self) -> bool:
        """Whether tokens cost nothing, as with a self-hosted model."""
        return not (self.input or self.output or self.cached_input)


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The facts about one model; models.toml explains each field. `prices` start with the
    latest."""

    name: str
    vendor: str
    pixels_per_token: int
    thinks: bool
    structured_output: StructuredOutput
    source: str
    checked: date
    default: bool = False
    announced: date | None = None
    retired: date | None = None
    successor: str = ""
    prices: tuple[Price, ...] = ()

    def is_retired(self, when: datetime) -> bool:
        """Whether calls fail at the aware time `when`."""
        return self.retired is not None and self.retired <= vendor_day(when)

    def throttling_reason(self, when: datetime) -> str:
        """Why calls may be throttled at `when`: vendors lower a model's limits once its retirement
        is announced. "" if it is not."""
        if self.retired is None or self.is_retired(when):
            return ""
        return f"{self.name} will be retired on {self.retired}, and its limits shrink until then"


@dataclass(frozen=True, slots=True)
class Replacement:
    """A retired model, the day it was retired, and the model used in its place."""

    name: str
    retired: date
    successor: str

    def __str__(self) -> str:
        return f"{self.name} was retired on {self.retired}; {self.successor} is used instead"


@dataclass(frozen=True, slots=True)
class ModelTable:
    """The models by name. Each successor is in the table, and chains of successors have no
    cycles."""

    models: Mapping[str, ModelFacts]

    def get(self, name: str) -> ModelFacts | None:
        """The facts about a model, if it is in the table."""
        return self.models.get(name)

    def default(self, vendor: str) -> str:
        """The vendor's default model; "" if it has none in the table."""
        of_vendor = (facts for facts in self.models.values() if facts.vendor == vendor)
        return next((facts.name for facts in of_vendor if facts.default), "")

    def in_service(self, name: str, when: datetime) -> str:
        """The model to ask for `name` at the aware time `when`: itself, or its first successor in
        service."""
        facts = self.get(name)
        while facts and facts.successor and facts.is_retired(when):
            facts = self.get(facts.successor)
        return facts.name if facts else name

    def candidates(self, names: Iterable[str], when: datetime) -> list[str]:
        """The models to ask in turn at `when`: for each of `names` the one in service, then their
        successors, in case the provider has retired those early."""
        named = [self.in_service(name, when) for name in names]
        later = [later for name in named for later in self._successors(name)]
        return list(dict.fromkeys([*named, *later]))

    def replacements(self, names: Iterable[str], when: datetime) -> list[Replacement]:
        """The models among `names` that are retired at `when`, with the models used instead."""
        found = []
        for name in dict.fromkeys(names):
            facts, successor = self.get(name), self.in_service(name, when)
            if facts and facts.retired and successor != name:
                found.append(Replacement(name, facts.retired, successor))
        return found

    def retiring(self, names: Iterable[str], when: datetime) -> list[Replacement]:
        """The models in service for `names` at `when` whose retirement date is known."""
        found = []
        for name in dict.fromkeys(self.in_service(name, when) for name in names):
            facts = self.get(name)
            if facts and facts.retired and not facts.is_retired(when):
                successor = self.in_service(name, first_moment(facts.retired))
                found.append(Replacement(name, facts.retired, successor))
        return found

    def _successors(self, name: str) -> Iterator[str]:
        while (facts := self.get(name)) and facts.successor:
            name = facts.successor
            yield name
