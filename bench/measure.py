"""Rounds in which everything has its turn, so that a busy moment of the machine hits all alike."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from statistics import median, quantiles

from bench.actions import Action

#: The same page so many times in a row: as of somebody who works, not of one visit a day.
BURST = 4
#: Requests before measuring begins: every worker has then seen every page, more or less surely.
WARM_UP = 30
FEWEST_ROUNDS = 5

#: One way to do an action, which is given with the turn: gives milliseconds, and the page if there is one.
Way = Callable[[Action, int], tuple[float, bytes]]


@dataclass(slots=True)
class Times:
    """Milliseconds."""

    taken: list[float] = field(default_factory=list)

    @property
    def p50(self) -> float:
        return median(self.taken)

    @property
    def p95(self) -> float:
        return quantiles(self.taken, n=20)[-1]


@dataclass(frozen=True, slots=True)
class Key:
    """``way``: ``app``, ``floor`` or ``sql``."""

    size: int
    action: str
    way: str


def measure(ways: dict[tuple[int, str], Way], actions: Sequence[Action], *, seconds: float) -> dict[Key, Times]:
    """All actions in all ways at all sizes, in turn, until the time is up. ``ways``: (size, name) -> way."""
    turns = [
        (Key(size, action.name, name), way, action) for action, ((size, name), way) in product(actions, ways.items())
    ]
    for _key, way, action in turns:
        for turn in range(WARM_UP):
            way(action, turn)
    times = {key: Times() for key, _, _ in turns}
    until, rounds = time.monotonic() + seconds, 0
    while turns and (time.monotonic() < until or rounds < FEWEST_ROUNDS):
        for key, way, action in turns:
            times[key].taken += [way(action, rounds * BURST + place)[0] for place in range(BURST)]
        rounds += 1
    return times
