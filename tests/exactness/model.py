"""A DashScope that sees which photo it is asked about, and remembers how it treated each."""

import threading
from collections import defaultdict
from random import Random
from typing import Any

from tests.exactness import photos
from tests.support import dashscope_server
from tests.support.dashscope_server import DashScopeServer

# After these the provider may charge for the call: it read the question.
UNPAID = {"html_error", "Throttling", "InternalError", "DataInspectionFailed"}
# By name, the modes that a spell of bad weather picks from.
WEATHER: dict[str, tuple[str, ...]] = {
    "fair": ("ok",),
    "hanging": ("ok", "hang", "stall_in_body"),
    "dripping": ("ok", "drip_body", "drip_headers"),
    "closing": ("ok", "close_before_answer", "close_in_body", "ok_and_close"),
    "refusing": ("ok", "html_error", "InternalError", "DataInspectionFailed"),
    "throttling": ("ok", "Throttling"),
    "talking": ("ok", "not_json", "no_verdict", "unknown_category"),
}


class _Handler(dashscope_server._Handler):
    fake: "NumberedDashScope"  # type: ignore[misc]
    number = 0

    def _answer(self, mode: str, request: dict[str, Any]) -> None:
        if "messages" in request.get("input", {}):
            self.number = photos.number_in(request)
            mode = self.fake.treat(self.number)
        super()._answer(mode, request)

    def verdict(self) -> dict[str, Any]:
        return {
            "category": photos.category_of(self.number),
            "confidence": 0.95,
            "description": photos.description_of(self.number),
        }


class NumberedDashScope(DashScopeServer):
    """`treated` has the modes by photo, in order; `weather` may be changed at any time."""

    handler = _Handler

    def __init__(self, rng: Random, delay: float) -> None:
        super().__init__(delay=delay)
        self.weather = "fair"
        self.treated: dict[int, list[str]] = defaultdict(list)
        self._rng = rng
        self._treating = threading.Lock()

    def treat(self, number: int) -> str:
        """How this call is answered."""
        with self._treating:
            mode = self._rng.choice(WEATHER[self.weather])
            self.treated[number].append(mode)
        return mode

    @property
    def calls(self) -> int:
        return sum(map(len, self.treated.values()))
