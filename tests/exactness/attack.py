"""One attack from its plan to its report."""

import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.exactness import faults, invariants
from tests.exactness.operations import AppClient
from tests.exactness.staff import StaffClient
from tests.exactness.world import Plan, World, built
from tests.support.servers import ScratchDatabase, manage

# The first photos are there before anything breaks.
QUIET_SECONDS = 2.0
STAFF_PAUSE_SECONDS = 0.3
# Longer than rows wait to be written.
SETTLE_SECONDS = 3.0


@dataclass(frozen=True)
class Report:
    """What was done, and each violation with the invariant that it is of."""

    plan: Plan
    operations: Counter[str]
    calls: int
    answers: int
    lost: int
    refusals: Counter[str]
    faults: Counter[str]
    violations: list[str]

    def __str__(self) -> str:
        return "\n".join(
            [
                f"seed {self.plan.seed} on {self.plan.database}: "
                f"{self.operations.total()} operations, {self.answers} answers, "
                f"{self.calls} model calls, {self.faults.total()} faults, {self.lost} lost, "
                f"{len(self.violations)} violations",
                f"  operations: {dict(self.operations)}",
                f"  faults: {dict(self.faults)}",
                f"  refusals: {dict(self.refusals)}",
                *(f"  VIOLATION {violation}" for violation in self.violations[:40]),
            ]
        )


def attack(plan: Plan, folder: Path, empty: ScratchDatabase | None = None) -> Report:
    """Do what the plan says, then hold every invariant against the tables.

    The servers' logs stay in `folder`; `empty` is a migrated database: on SQLite
    the one to use, else one to copy.
    """
    with built(plan, folder, empty) as world:
        staff = _storm(world)
        manage(world.database, "roll_up_stats")
        figures = staff.get("/api/v1/stats/today")["data"]
        violations = [f"figures: {each}" for each in invariants.differing_figures(world, figures)]
        for host in world.hosts:
            host.stop()
        if world.databases.cluster:
            world.databases.cluster.wait_until_level()
        books = invariants.Books(world)
        for name, invariant in invariants.INVARIANTS.items():
            violations += [f"{name}: {each}" for each in invariant(world, books)]
        return _report(world, violations)


def _storm(world: World) -> StaffClient:
    """Apps, staff and faults at once until the plan's time is over; then quiet."""
    world.ends_at = time.monotonic() + world.plan.seconds
    staff = StaffClient(world, Random(world.rng.random()))  # noqa: S311
    staff.log_in()
    works = [_of_app(world) for _ in range(world.plan.apps)]
    works += [_of_staff(world, staff), _of_faults(world)]
    threads = [threading.Thread(target=_run, args=(world, work)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for host in world.hosts:
        host.make_sure_it_runs()
    time.sleep(SETTLE_SECONDS)
    if world.databases.cluster:
        world.databases.cluster.wait_until_level()
    if not staff.get("/api/v1/stats/today").get("success"):
        staff.log_in()
    return staff


def _run(world: World, work: Callable[[], None]) -> None:
    try:
        while not world.is_over:
            work()
    except BaseException:
        world.witness.defects.append(f"the harness broke: {traceback.format_exc()}")


def _of_app(world: World) -> Callable[[], None]:
    return AppClient(world, Random(world.rng.random())).run_once  # noqa: S311


def _of_staff(world: World, staff: StaffClient) -> Callable[[], None]:
    def work() -> None:
        world.wait(STAFF_PAUSE_SECONDS)
        staff.run_once()

    return work


def _of_faults(world: World) -> Callable[[], None]:
    possible = faults.possible(world)

    def work() -> None:
        world.wait(world.rng.uniform(QUIET_SECONDS, 3 * QUIET_SECONDS))
        names = list(possible)
        [name] = world.rng.choices(names, [possible[name][0] for name in names])
        if not world.is_over:
            with world.witness.fault(name):
                possible[name][1](world)

    return work


def _report(world: World, violations: list[str]) -> Report:
    witness = world.witness
    return Report(
        plan=world.plan,
        operations=witness.operations,
        calls=world.model.calls,
        answers=len(witness.answers),
        lost=witness.lost,
        refusals=witness.refusals,
        faults=Counter(name for name, _, _ in witness.faults),
        violations=violations,
    )


def plan_of(seed: int, seconds: float, database: str) -> Plan:
    """What a seed means: with a tight limit of money, a wide one, or none."""
    rng = Random(seed)  # noqa: S311
    wide = f"{seconds / 20:.2f}"
    return Plan(
        seed=seed,
        seconds=seconds,
        database=database,
        daily_limit=rng.choice(["", "0.08", wide, wide]),
        limited_photos=rng.choice([20, 60, 1000]),
    )
