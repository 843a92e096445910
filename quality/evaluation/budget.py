"""The budget of a run."""

import threading
from decimal import Decimal


class Budget:
    """A budget of `limit` yuan, unlimited if None; `spent` is the cost of calls so far.

    The maximum cost of a call is reserved before it is made, and replaced by its actual cost.
    """

    def __init__(self, limit: Decimal | None) -> None:
        self.spent = Decimal(0)
        self._limit = limit
        self._reserved = Decimal(0)
        self._settled = threading.Condition()

    def take(self, most: Decimal) -> bool:
        """Reserve `most` yuan, if necessary after waiting for calls in progress; False if the
        budget is exhausted."""
        with self._settled:
            while self._limit is not None and self.spent + self._reserved + most > self._limit:
                if not self._reserved:
                    return False
                self._settled.wait()
            self._reserved += most
            return True

    def settle(self, most: Decimal, cost: Decimal) -> None:
        """Replace a reservation by the actual cost of the call."""
        with self._settled:
            self._reserved -= most
            self.spent += cost
            self._settled.notify_all()
