"""One check: what holds now, who knows it already, and who is to be told.

A receiver is told when a condition begins, again each hour while it lasts, and when it is over.
What it did not take is tried again at the next check. Safe to run on several hosts at once.
"""

import logging
import socket
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from operations.alerts import messages
from operations.alerts.conditions import CONDITIONS, DATABASE, Condition, Finding, Readings
from operations.alerts.messages import News
from operations.alerts.receivers import NotDelivered, Receiver
from operations.alerts.stores import FileStore, Store, TableStore, give_lease_back, take_lease
from operations.models import AlertState

logger = logging.getLogger(__name__)

REPEAT = timedelta(hours=1)
# What comes and goes within minutes is one alert.
QUIET = timedelta(minutes=5)

# What holds, by condition; None where it does not. A condition that could not look is left out.
Findings = Mapping[Condition, Finding | None]


@dataclass(frozen=True, slots=True)
class Result:
    """The conditions that hold, and the receivers that did not take their message."""

    findings: Sequence[tuple[Condition, Finding]]
    undelivered: Sequence[str]


def check(receivers: Sequence[Receiver]) -> Result | None:
    """Look at every condition and tell the receivers; None if another check is under way."""
    with translation.override(settings.LANGUAGE_CODE):
        try:
            result, away = _check_table(receivers), None
        except DatabaseError as error:
            result, away = Result((), ()), _database_away(error)
        # Each host says so for itself: the one may see the database when another does not.
        own = _tell(receivers, {DATABASE: away}, FileStore(settings.VAR_DIR / "alerts.json"))
    if result is None:
        return None
    return Result([*result.findings, *own.findings], [*result.undelivered, *own.undelivered])


def try_out(receivers: Sequence[Receiver]) -> list[str]:
    """Send everybody a message that says so; those who did not take it."""
    with translation.override(settings.LANGUAGE_CODE):
        letter = messages.trial()
    return [str(receiver) for receiver in _deliver(dict.fromkeys(receivers, letter))]


def _database_away(error: DatabaseError) -> Finding:
    # The error's own words may name the user and the host.
    return Finding(
        _("Seen from %(host)s: %(error)s.")
        % {"host": socket.gethostname(), "error": type(error).__name__},
        _("Is it running, is its disk full, are its connections used up? See its log."),
    )


def _check_table(receivers: Sequence[Receiver]) -> Result | None:
    if not take_lease():
        return None
    result = _tell(receivers, _look(), TableStore())
    give_lease_back()
    return result


def _look() -> Findings:
    readings = Readings()
    findings = {}
    for condition in CONDITIONS:
        try:
            findings[condition] = condition.check(readings)
        except DatabaseError:
            raise
        except Exception:
            logger.exception("The condition %s could not be looked at.", condition.name)
    return findings


def _tell(receivers: Sequence[Receiver], findings: Findings, store: Store) -> Result:
    """Tell each receiver what it does not know yet."""
    known = {(state.condition, state.receiver): state for state in store.load()}
    books = {receiver: _Book(receiver, findings, known) for receiver in receivers}
    for book in books.values():
        store.save(book.seen)
    letters = {
        receiver: (messages.subject(book.news), messages.text(book.news))
        for receiver, book in books.items()
        if book.news
    }
    failed = _deliver(letters)
    for receiver, book in books.items():
        if receiver not in failed:
            store.save(book.told())
            store.delete(book.over)
    return Result(
        [(condition, finding) for condition, finding in findings.items() if finding],
        [str(receiver) for receiver in failed],
    )


class _Book:
    """What one receiver knows and is to be told: `seen` are the states of what holds, `over`
    those of what does not any more."""

    def __init__(
        self,
        receiver: Receiver,
        findings: Findings,
        known: Mapping[tuple[str, str], AlertState],
    ) -> None:
        self._now = timezone.now()
        self.news: list[News] = []
        self.seen: list[AlertState] = []
        self.over: list[AlertState] = []
        self._to_mark: list[AlertState] = []
        for condition, finding in findings.items():
            state = known.get((condition.name, receiver.key))
            if finding:
                self._holds(condition, finding, state or self._new(condition, receiver))
            elif state and self._now - state.seen_at >= QUIET:
                self._is_over(condition, state)

    def told(self) -> list[AlertState]:
        """The states of what the receiver has just been told."""
        for state in self._to_mark:
            state.told_at = self._now
        return self._to_mark

    def _new(self, condition: Condition, receiver: Receiver) -> AlertState:
        return AlertState(condition=condition.name, receiver=receiver.key, since=self._now)

    def _holds(self, condition: Condition, finding: Finding, state: AlertState) -> None:
        state.seen_at = self._now
        self.seen.append(state)
        if state.told_at is None or self._now - state.told_at >= REPEAT:
            news = News("lasts" if state.told_at else "begins", condition, finding, state.since)
            self.news.append(news)
            self._to_mark.append(state)

    def _is_over(self, condition: Condition, state: AlertState) -> None:
        self.over.append(state)
        if state.told_at:  # who never heard that it began needs not hear that it is over
            self.news.append(News("over", condition, None, state.since))


def _deliver(letters: Mapping[Receiver, tuple[str, str]]) -> list[Receiver]:
    """Send each receiver its subject and text, all at once; those who did not take it."""
    if not letters:
        return []
    with ThreadPoolExecutor(len(letters)) as pool:
        taken = pool.map(_is_taken, letters, letters.values())
        return [receiver for receiver, ok in zip(letters, list(taken), strict=True) if not ok]


def _is_taken(receiver: Receiver, letter: tuple[str, str]) -> bool:
    try:
        receiver.send(*letter)
    except NotDelivered as error:
        logger.warning("%s could not be told of an alert: %s", receiver, error)
        return False
    except Exception as error:
        # Its words may hold an address, and so a password.
        logger.error("%s could not be told of an alert: %s", receiver, type(error).__name__)
        return False
    return True
