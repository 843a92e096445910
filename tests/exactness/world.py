"""The service under attack: its processes, its database, its Redis and the model it asks."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import redis

from tests.exactness.databases import KINDS, Databases
from tests.exactness.model import NumberedDashScope
from tests.exactness.photos import Photos
from tests.exactness.witness import Witness
from tests.support.ports import free_port
from tests.support.servers import RunningServer, ScratchDatabase, manage, running_server
from tests.support.waiting import wait_until

STAFF = {"DJANGO_SUPERUSER_USERNAME": "admin", "DJANGO_SUPERUSER_PASSWORD": "exactly-so"}
LLM_TIMEOUT = 4
WORKER_MB = 30


@dataclass(frozen=True)
class Plan:
    """One attack, as data: two of one plan differ only in what the machine makes of them."""

    seed: int
    seconds: float
    database: str = "sqlite"  # or another of KINDS
    apps: int = 6
    model_seconds: float = 0.15
    daily_limit: str = ""  # yuan; none if empty
    limited_photos: int = 60


class Host:
    """One machine of the service, at a port that it keeps over restarts."""

    def __init__(
        self, world: "World", database: ScratchDatabase, variables: dict[str, str]
    ) -> None:
        self._world = world
        self._database = database
        self._variables = variables | {"APP_PORT": str(free_port())}
        self._stack = ExitStack()
        self.server: RunningServer

    def start(self) -> None:
        log = (self._world.folder / f"server-{self._variables['APP_PORT']}.log").open("a")
        self._stack.callback(log.close)
        self.server = self._stack.enter_context(
            running_server(self._database, self._world.model, log, **self._variables)
        )

    def make_sure_it_runs(self) -> None:
        """Start it again if a fault was broken off in the middle."""
        if self.server.process.poll() is None:
            self.server.wait_until_up()
        else:
            self.start()

    def stop(self) -> None:
        """SIGTERM, and wait until all that waited is written."""
        self._stack.close()

    def kill(self) -> None:
        self.server.kill()
        self._stack.close()

    def workers(self) -> list[int]:
        pid = self.server.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in children if _megabytes(int(child)) > WORKER_MB]


class RedisServer:
    """A Redis of our own, which may be killed."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis.Redis.from_url(self.url, socket_timeout=2)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_until(self._answers)

    def _answers(self) -> bool:
        with suppress(redis.RedisError):
            return bool(self.client.ping())
        return False

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait(60)


@dataclass
class World:
    """All of it."""

    plan: Plan
    folder: Path
    rng: Random
    databases: Databases
    model: NumberedDashScope
    redis: RedisServer | None = None
    hosts: list[Host] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    photos: Photos = field(default_factory=Photos)
    witness: Witness = field(default_factory=Witness)
    ends_at: float = 0.0

    @property
    def database(self) -> ScratchDatabase:
        """What the harness looks into, whatever is between it and the hosts."""
        return self.databases.direct

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self.ends_at

    def wait(self, seconds: float) -> None:
        """Sleep, but not beyond the end."""
        time.sleep(max(min(seconds, self.ends_at - time.monotonic()), 0))

    def make_apps(self) -> None:
        """Somebody of the staff, an app without limits and one with."""
        photos = self.plan.limited_photos
        commands = [
            ("create_first_staff",),
            ("create_app", "camera", "--json"),
            (
                "create_app",
                "limited",
                "--json",
                f"--new-photos-per-day={photos}",
                f"--user-new-photos-per-day={photos // 3}",
                "--cost-per-day=5",
            ),
        ]
        # In one process: starting three takes seconds.
        script = "from django.core.management import call_command\n"
        script += "\n".join(f"call_command(*{command})" for command in commands)
        printed = manage(self.database, "shell", "-c", script, **STAFF)
        made = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
        self.keys = {app["app"]: app["key"] for app in made}


@contextmanager
def built(plan: Plan, folder: Path, empty: ScratchDatabase | None) -> Iterator[World]:
    """The service, running, with two apps and no photo; on SQLite in the database `empty`, which
    is migrated, or else in a copy of it, or in a new one."""
    rng = Random(plan.seed)  # noqa: S311
    with ExitStack() as stack:
        model = NumberedDashScope(Random(plan.seed + 1), plan.model_seconds)  # noqa: S311
        stack.enter_context(model)
        databases = stack.enter_context(KINDS[plan.database](folder, empty))
        world = World(plan, folder, rng, databases, model)
        if shutil.which("redis-server") and rng.random() < 0.5:
            world.redis = RedisServer()
            world.redis.start()
            stack.callback(world.redis.kill)
        world.make_apps()
        for number, database in enumerate(databases.of_hosts):
            world.hosts.append(Host(world, database, _variables(world, number)))
            world.hosts[-1].start()
            stack.callback(world.hosts[-1].stop)
        yield world


def _variables(world: World, number: int) -> dict[str, str]:
    variables = {
        "WEB_WORKERS": str(2 // len(world.databases.of_hosts)),
        "LLM_TIMEOUT": str(LLM_TIMEOUT),
        "STATE_DIRECTORY": str(world.folder / f"host-{number}"),
    }
    if world.plan.daily_limit:
        variables["DAILY_COST_LIMIT"] = world.plan.daily_limit
    if world.redis:
        variables["CACHE_URL"] = world.redis.url
    return variables


def _megabytes(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) // 1024
    return 0


def signal_worker(pid: int, number: signal.Signals) -> None:
    """Send a signal to a worker that may just have ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
