"""How the service is over all its processes, as staff see it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise

from classification.causes import trouble
from classification.models import ServerProcess


@dataclass(frozen=True, slots=True)
class Rest:
    """Why some processes make no calls to the model: how many, since when, and what to do."""

    processes: int
    since: datetime
    reason: str | Promise
    advice: str | Promise


@dataclass(frozen=True, slots=True)
class Service:
    """The processes that are alive."""

    processes: Sequence[ServerProcess]

    @property
    def hosts(self) -> int:
        return len({process.host for process in self.processes})

    @property
    def resting(self) -> int:
        """How many processes make no calls at the moment."""
        return sum(bool(process.rest_code) for process in self.processes)

    @property
    def rests(self) -> Iterator[Rest]:
        """The reasons for which calls rest, each with its processes."""
        reasons = sorted({(p.rest_code, p.rest_cause) for p in self.processes if p.rest_code})
        for code, cause in reasons:
            since = [
                process.rest_since
                for process in self.processes
                if (process.rest_code, process.rest_cause) == (code, cause) and process.rest_since
            ]
            title, advice = trouble(code, cause)
            yield Rest(len(since), min(since), title, advice)

    @property
    def denied_models(self) -> list[str]:
        """The models that are left out by some process."""
        return sorted(
            {model for p in self.processes for model in p.denied_models.split(", ") if model}
        )

    @property
    def calls_in_flight(self) -> int:
        return sum(process.calls_in_flight for process in self.processes)

    @property
    def rows_waiting(self) -> int:
        return sum(process.rows_waiting for process in self.processes)

    @property
    def rows_dropped(self) -> int:
        return sum(process.rows_dropped for process in self.processes)
