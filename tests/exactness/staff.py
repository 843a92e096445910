"""What staff do meanwhile, in a browser's session: as data, like the apps' operations."""

import time
from collections.abc import Callable
from random import Random
from typing import Any

import requests

from classification.default_prompt import DEFAULT_PROMPT
from tests.exactness import photos
from tests.exactness.witness import StaffAct
from tests.exactness.world import STAFF, World
from tests.support.html_forms import input_values

ENTRIES = "/admin/classification/cacheentry/"
TIMEOUT = 90
DONE = 302
# What the page says of each prompt that is published here, and wants a tick for.
NEVER_MEASURED = "从未评测过。"
LIMITS = ("new_photos_per_day", "user_new_photos_per_day")


class StaffClient:
    """One person at the pages; acts one after the other."""

    def __init__(self, world: World, rng: Random) -> None:
        self.world = world
        self.rng = rng
        self.session = requests.Session()
        self._is_logged_in = False
        self.limit = world.plan.limited_photos

    def run_once(self) -> None:
        names = list(ACTS)
        [name] = self.rng.choices(names, [ACTS[name][0] for name in names])
        self.world.witness.count(name)
        try:
            if not self._is_logged_in:
                self.log_in()
            ACTS[name][1](self)
        except requests.RequestException:
            self.world.witness.lose()

    def log_in(self) -> None:
        self.session.get(self._url("/admin/login/"), timeout=TIMEOUT)
        reply = self.post(
            "/admin/login/",
            username=STAFF["DJANGO_SUPERUSER_USERNAME"],
            password=STAFF["DJANGO_SUPERUSER_PASSWORD"],
            next="/admin/",
        )
        self._is_logged_in = reply.status_code == DONE

    def post(self, path: str, **form: Any) -> requests.Response:
        form["csrfmiddlewaretoken"] = self.session.cookies.get("csrftoken", "")
        reply = self.session.post(
            self._url(path), data=form, timeout=TIMEOUT, allow_redirects=False
        )
        if reply.status_code == 500:
            self.world.witness.defects.append(f"staff's {path}: {reply.text[:200]}")
        if "/login/" in reply.headers.get("Location", ""):
            self._is_logged_in = False
        return reply

    def get(self, path: str) -> Any:
        """Statistics as JSON."""
        return self.session.get(self._url(path), timeout=TIMEOUT).json()

    def entry(self) -> tuple[int, int, str] | None:
        """A photo that has an entry, and the entry's id and category."""
        number = self.world.photos.known(self.rng.random())
        sql = "SELECT id, category FROM image_classification_cache WHERE image_hash = "
        try:
            rows = self.world.database.query(f"{sql}'{photos.hash_of(number)}'")
        except Exception:  # while the database is away
            return None
        return (number, *rows[0]) if rows else None

    def record(self, number: int, what: str, act: Callable[[], bool], category: str = "") -> None:
        """Do it, and remember it whether we learn how it ended or not."""
        is_sure = False
        try:
            is_sure = act()
        finally:
            act_done = StaffAct(number, what, is_sure, category, time.monotonic())
            self.world.witness.acts.append(act_done)

    def _url(self, path: str) -> str:
        return f"http://{self.rng.choice(self.world.hosts).server.address}{path}"


def correct(staff: StaffClient) -> None:
    if (found := staff.entry()) is None:
        return
    number, pk, seen = found
    others = [c for c in photos.CATEGORIES if c != photos.category_of(number)]
    category = staff.rng.choice(others)
    path = f"{ENTRIES}{pk}/change/"
    description = photos.description_of(number)
    form = {"category": category, "description": description, "_continue": "1"}
    # A form without what it showed would be refused as outdated.
    form |= {"initial-category": seen, "initial-description": description}
    staff.record(
        number,
        "correct",
        lambda: staff.post(path, **form).headers.get("Location", "").endswith("/change/"),
        category,
    )


def ask_again(staff: StaffClient) -> None:
    _act(staff, "mark_ask_again")


def purge(staff: StaffClient) -> None:
    _act(staff, "purge", confirmed="yes")


def _act(staff: StaffClient, action: str, **fields: str) -> None:
    if (found := staff.entry()) is None:
        return
    number, pk, _ = found
    form = {"action": action, "_selected_action": str(pk)} | fields
    staff.record(number, action, lambda: staff.post(ENTRIES, **form).status_code == DONE)


def publish(staff: StaffClient) -> None:
    """A new prompt; older answers are kept, or unknown from now on."""
    try:
        version = staff.world.database.value("SELECT MAX(version) FROM prompt_version") or 1
    except Exception:  # while the database is away
        return
    older = staff.rng.choice(["keep", "keep", "unknown"])
    if older == "unknown":
        staff.world.witness.unknown_since.append(time.monotonic())
    text = f"{DEFAULT_PROMPT}\n{staff.rng.random()}"
    form = {"text": text, "based_on": str(version), "older": older, "accepts": NEVER_MEASURED}
    staff.post("/prompt/publish/", **form)


def raise_limit(staff: StaffClient) -> None:
    """Let the limited app have some more new photos."""
    try:
        app = staff.world.database.value("SELECT id FROM client_app WHERE name = 'limited'")
    except Exception:  # while the database is away
        return
    path = f"/admin/clients/app/{app}/change/"
    staff.limit += 5  # whether it was done or not: the highest limit is what must hold
    staff.world.witness.highest_limit = staff.limit
    form = input_values(staff.session.get(staff._url(path), timeout=TIMEOUT).text)
    staff.post(path, **form | dict.fromkeys(LIMITS, str(staff.limit)))


def look(staff: StaffClient) -> None:
    """The dashboard, which reads all figures."""
    staff.session.get(staff._url("/"), timeout=TIMEOUT)


ACTS: dict[str, tuple[int, Callable[[StaffClient], None]]] = {
    "correct": (6, correct),
    "ask_again": (4, ask_again),
    "purge": (3, purge),
    "publish": (1, publish),
    "raise_limit": (1, raise_limit),
    "look": (2, look),
}
