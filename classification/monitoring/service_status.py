"""The state of the service over all its processes, for the staff's pages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise

from classification.models import ServerProcess
from classification.monitoring.outage_advice import trouble


@dataclass(frozen=True, slots=True)
class PausedProcesses:
    """The processes that have paused calls for one reason: since when, and what to do about it."""

    names: Sequence[str]
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
    def paused(self) -> int:
        """How many processes have paused calls."""
        return sum(bool(process.pause_code) for process in self.processes)

    @property
    def paused_by_reason(self) -> Iterator[PausedProcesses]:
        """The processes with paused calls, by the reason."""
        reasons = sorted({(p.pause_code, p.pause_cause) for p in self.processes if p.pause_code})
        for code, cause in reasons:
            found = [p for p in self.processes if (p.pause_code, p.pause_cause) == (code, cause)]
            since = min(p.paused_since for p in found if p.paused_since)
            yield PausedProcesses([str(p) for p in found], since, *trouble(code, cause))

    @property
    def denied_models(self) -> list[str]:
        """The models that are skipped by some process."""
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
