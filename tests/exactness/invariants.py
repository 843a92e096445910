"""What must be true when the attack is over, as data: each gives a sentence for each violation."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cached_property
from typing import Any

from tests.exactness import faults, photos
from tests.exactness.model import UNPAID
from tests.exactness.witness import StaffAct, Told
from tests.exactness.world import World

# The outcome in the ledger of a call whose process was killed.
KILLED = "internal_error"
# Other processes serve what they know for so long after a correction.
SERVED_SECONDS = 40.0


class Books:
    """The tables as they are in the end."""

    def __init__(self, world: World) -> None:
        self._world = world
        # By photo: the outcome and the billing of each call.
        self.calls: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for image_hash, outcome, billed in self._rows("image_hash, outcome, billed", "model_call"):
            self.calls[image_hash].append((outcome, billed))
        # Calls that were begun and never written down: their processes were killed.
        self.begun = Counter(
            image_hash
            for (image_hash,) in self._rows(
                "image_hash",
                "spending_reservation WHERE token NOT IN "
                "(SELECT call_id FROM model_call WHERE call_id IS NOT NULL)",
            )
        )

    def _rows(self, columns: str, table: str) -> list[tuple[Any, ...]]:
        return self._world.database.query(f"SELECT {columns} FROM {table}")

    def value(self, expression: str, table: str) -> int:
        """One number, 0 for NULL."""
        return int(self._world.database.value(f"SELECT {expression} FROM {table}") or 0)

    def total(self, column: str, table: str) -> Decimal:
        """A sum of yuan."""
        found = self._world.database.value(f"SELECT SUM({column}) FROM {table}")
        return Decimal(str(found or 0))

    @cached_property
    def log(self) -> Counter[tuple[str, str]]:
        """How many rows each request left for each photo."""
        return Counter(self._rows("request_id, image_hash", "request_log"))

    @cached_property
    def entries(self) -> dict[str, tuple[int, str, str]]:
        """Hits, category and description by photo."""
        columns = "image_hash, hit_count, category, description"
        rows = self._rows(columns, "image_classification_cache")
        return {image_hash: tuple(rest) for image_hash, *rest in rows}


def numbers(world: World) -> Iterator[tuple[int, str]]:
    """Each photo that there was, and its hash."""
    for number in range(1, world.photos.count + 1):
        yield number, photos.hash_of(number)


def nothing_broke(world: World, books: Books) -> Iterator[str]:
    yield from world.witness.defects
    for log in world.folder.glob("server-*.log"):
        yield from (f"{log.name}: {line}" for line in _tracebacks(log.read_text()))


def _tracebacks(text: str) -> Iterator[str]:
    """Each with the line before it, which says whose it is, and its last steps."""
    trace = r"(?:.*\n)?.*Traceback \(most recent call last\):\n(?:[ \t].*\n|\n)*.*\n"
    for found in re.findall(trace, text):
        lines = found.splitlines()
        yield " | ".join([*lines[:2], *lines[-7:]])


def answers_are_of_their_photo(world: World, books: Books) -> Iterator[str]:
    """Each answer is what the model or a person said of this photo."""
    for told in world.witness.answers:
        corrections = {act.category for act in world.witness.acts_on(told.number)}
        right = {photos.category_of(told.number)} | corrections
        if told.data["description"] != photos.description_of(told.number):
            yield f"photo {told.number} was answered {told.data} ({told.request_id})"
        elif told.data["category"] not in right:
            yield f"photo {told.number} is {right}, but was answered {told.data}"


def entries_are_true(world: World, books: Books) -> Iterator[str]:
    for number, image_hash in numbers(world):
        _, category, description = books.entries.get(image_hash, (0, "", ""))
        right = {photos.category_of(number)}
        right |= {act.category for act in world.witness.acts_on(number)}
        if description and description != photos.description_of(number):
            yield f"the entry of photo {number} says {description}"
        elif category and category not in right:
            yield f"the entry of photo {number} says {category}"


def every_call_is_in_the_ledger(world: World, books: Books) -> Iterator[str]:
    for number, image_hash in numbers(world):
        seen = world.model.treated.get(number, [])
        paid = [mode for mode in seen if mode not in UNPAID]
        rows = books.calls[image_hash]
        billed = [row for row in rows if row[1] != "no"]
        if len(rows) + books.begun[image_hash] < len(seen):
            yield f"photo {number}: the model saw {seen}, the ledger has {rows}"
        elif len(billed) + books.begun[image_hash] < len(paid):
            yield f"photo {number}: the model may charge for {paid}, the ledger has {rows}"


def the_ledger_has_no_other_call(world: World, books: Books) -> Iterator[str]:
    """Beyond what the model saw there is only what a kill left behind before it was sent."""
    unseen = 0
    for number, image_hash in numbers(world):
        seen = world.model.treated.get(number, [])
        rows = books.calls[image_hash]
        # One that was given up before it was sent is written down, and costs nothing.
        sent = [row for row in rows if row[1] != "no"]
        own = [row for row in sent if row[0] != KILLED]
        answered = [row for row in rows if row[1] == "yes"]
        paid = [mode for mode in seen if mode not in UNPAID]
        if len(own) > len(seen):
            yield f"photo {number}: the model saw {seen}, the ledger has {rows}"
        elif len(answered) > len(paid):
            yield f"photo {number}: the model may charge for {paid}, the ledger has {rows}"
        unseen += max(len(sent) + books.begun[image_hash] - len(seen), 0)
    killed = [name for name, _, _ in world.witness.faults if name in faults.KILLS]
    # Each kill catches at most what the apps had under way.
    if unseen > 3 * world.plan.apps * len(killed):
        yield f"{unseen} calls in the ledger that the model never saw, after {len(killed)} kills"


def nothing_is_paid_twice(world: World, books: Books) -> Iterator[str]:
    """A photo is asked about again only where staff wanted it, or something broke meanwhile."""
    if any(name in faults.INTERRUPTIONS for name, _, _ in world.witness.faults):
        return
    for number, _ in numbers(world):
        acts = [act for act in world.witness.acts_on(number) if act.what != "correct"]
        reasons = 1 + len(acts) + len(world.witness.unknown_since)
        if len(seen := world.model.treated.get(number, [])) > reasons:
            yield f"photo {number} was paid for {len(seen)} times, with {reasons} reasons"


def requests_are_logged_once(world: World, books: Books) -> Iterator[str]:
    for told in world.witness.answers:
        rows = books.log[told.request_id, told.image_hash]
        if rows > 1:
            yield f"{told.request_id} has {rows} rows of photo {told.number}"
        # What is paid for is written before the answer leaves, or waits for the database.
        elif not rows and not world.witness.is_excused(told.at, *faults.KILLS):
            yield f"{told.request_id} ({told.source}) has no row of photo {told.number}"


def hits_are_counted(world: World, books: Books) -> Iterator[str]:
    """A hit and its log row are written together, so that even a kill leaves them equal."""
    table = "request_log WHERE from_cache = 1 GROUP BY image_hash"
    hits = dict(world.database.query(f"SELECT image_hash, COUNT(*) FROM {table}"))
    for number, image_hash in numbers(world):
        acts = {act.what for act in world.witness.acts_on(number)}
        if "purge" in acts or image_hash not in books.entries:
            continue
        counted = books.entries[image_hash][0] - 1
        if counted != hits.get(image_hash, 0):
            yield f"photo {number}: {counted} hits counted, {hits.get(image_hash, 0)} logged"


def corrections_hold(world: World, books: Books) -> Iterator[str]:
    """What a person said stays, and is served everywhere after half a minute."""
    by_photo: dict[int, list[StaffAct]] = defaultdict(list)
    for act in world.witness.acts:
        if act.what == "correct":
            by_photo[act.number].append(act)
    told: dict[int, list[Told]] = defaultdict(list)
    for answer in world.witness.answers:
        told[answer.number].append(answer)
    for number, acts in by_photo.items():
        _, category, _ = books.entries.get(photos.hash_of(number), (0, "", ""))
        if acts[-1].is_sure and category != acts[-1].category:
            yield f"photo {number}: corrected to {acts[-1].category}, the entry says {category}"
        for answer in told[number]:
            before = [act for act in acts if act.at <= answer.at]
            if before and before[-1].is_sure and before[-1] is acts[-1]:
                is_late = answer.at > before[-1].at + SERVED_SECONDS
                if is_late and answer.data["category"] != before[-1].category:
                    yield f"photo {number}: corrected to {before[-1].category}, told {answer.data}"


def limits_hold(world: World, books: Books) -> Iterator[str]:
    photos_made = books.value(
        "COUNT(*)",
        "request_log WHERE from_cache = 0 AND outcome = 'ok' AND app_id = "
        "(SELECT id FROM client_app WHERE name = 'limited')",
    )
    limit = max(world.witness.highest_limit, world.plan.limited_photos)
    if photos_made > limit:
        yield f"{photos_made} new photos of an app that may have {limit}"
    counted = books.value("SUM(new_photos)", "client_quota_counter WHERE scope = 'app'")
    held = books.value("COUNT(*)", "client_quota_reservation WHERE counter_id IS NOT NULL")
    if counted != photos_made + held:
        yield f"{counted} new photos counted, {photos_made} answered and {held} under way"
    charged = books.value("SUM(spent)", "client_quota_counter WHERE scope = 'app'")
    cost = books.total(
        "cost",
        "model_call WHERE billed <> 'no' AND app_id = "
        "(SELECT id FROM client_app WHERE name = 'limited')",
    )
    if charged != round(cost * 1_000_000):
        yield f"{charged} millionths charged to an app whose calls cost {cost} yuan"
    if world.plan.daily_limit:
        yield from _spending(world, books, float(world.plan.daily_limit))


def _spending(world: World, books: Books, limit: float) -> Iterator[str]:
    spent = round(books.total("cost", "model_call WHERE billed <> 'no'") * 1_000_000)
    if spent > limit * 1_000_000:
        yield f"{spent} millionths spent, with a limit of {limit} yuan"
    booked = books.value("SUM(spent)", "spending_day")
    if booked != spent:
        yield f"{booked} millionths are booked, {spent} are in the ledger"
    reserved = books.value("SUM(reserved)", "spending_day")
    held = books.value("SUM(amount)", "spending_reservation")
    if reserved != held:
        yield f"{reserved} millionths are reserved, but calls under way hold {held}"


def nothing_is_left_behind(world: World, books: Books) -> Iterator[str]:
    """Reservations outlive their calls only where a process was killed."""
    left = sum(books.begun.values())
    if left and not any(name in faults.KILLS for name, _, _ in world.witness.faults):
        yield f"{left} calls were begun and never ended"


Invariant = Callable[[World, Books], Iterator[str]]
INVARIANTS: dict[str, Invariant] = {
    each.__name__: each
    for each in (
        nothing_broke,
        answers_are_of_their_photo,
        entries_are_true,
        every_call_is_in_the_ledger,
        the_ledger_has_no_other_call,
        nothing_is_paid_twice,
        requests_are_logged_once,
        hits_are_counted,
        corrections_hold,
        limits_hold,
        nothing_is_left_behind,
    )
}


def differing_figures(world: World, figures: dict[str, Any]) -> Iterator[str]:
    """Where the statistics are not what a plain count of the tables gives."""
    books = Books(world)
    log = "request_log"
    counted = {
        "total_requests": books.value("COUNT(*)", log),
        "cache_hits": books.value("SUM(from_cache)", log),
        "failed_requests": books.value("COUNT(*)", f"{log} WHERE outcome <> 'ok'"),
    }
    cost = float(books.total("cost", "model_call WHERE billed = 'yes'"))
    for name, value in counted.items():
        if figures[name] != value:
            yield f"{name} is {figures[name]}, a plain count gives {value}"
    if abs(figures["estimated_cost"] - cost) > 1e-9:
        yield f"estimated_cost is {figures['estimated_cost']}, the ledger has {cost}"
