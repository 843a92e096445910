"""A queue in which clients take turns, however many items each of them has."""

from collections import deque
from contextvars import ContextVar
from typing import Generic, TypeVar

Item = TypeVar("Item")

# The network of the client that a thread works for; "" where there is none.
client_var: ContextVar[str] = ContextVar("client", default="")


class FairQueue(Generic[Item]):
    """Items by client, served round robin; not thread-safe."""

    def __init__(self) -> None:
        # In the order of their turns; no deque is empty.
        self._items: dict[str, deque[Item]] = {}

    def add(self, client: str, item: Item) -> None:
        self._items.setdefault(client, deque()).append(item)

    def first(self) -> Item | None:
        """The item whose turn is next; None if the queue is empty."""
        return next((items[0] for items in self._items.values()), None)

    def take(self) -> Item | None:
        """Remove the item whose turn is next, after which it is the other clients' turn; None if
        the queue is empty."""
        for client, items in self._items.items():
            item = items.popleft()
            del self._items[client]
            if items:
                self._items[client] = items
            return item
        return None

    def remove(self, client: str, item: Item) -> bool:
        """Remove an item out of turn; returns whether it was in the queue."""
        items = self._items.get(client)
        if items is None or item not in items:
            return False
        items.remove(item)
        if not items:
            del self._items[client]
        return True
