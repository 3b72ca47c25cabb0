"""What the supervisor does with a child that dies again and again: whether it waits, and whether it gives up."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from config.supervisor import LONGEST_WAIT, STEADY_SECONDS, TRIES, GivenUp, Supervisor


@dataclass
class Child:
    """A service that dies when it is told to."""

    running: bool = False
    starts: int = 0

    def start(self) -> None:
        self.running = True
        self.starts += 1

    def stop(self) -> None:
        self.running = False


class Watched:
    """One child under a supervisor, on a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.child = Child()
        self.supervisor = Supervisor(clock=lambda: self.now)
        self.supervisor.start("worker", self.child)

    def dies_after(self, seconds: float) -> float:
        """Let the child live for so long, and return after how many seconds it was started again."""
        self.now += seconds
        self.child.running = False
        died, starts = self.now, self.child.starts
        while self.child.starts == starts:
            self.supervisor.look()
            self.now += 0.1
        return self.now - died


def test_a_child_that_never_came_up_is_given_up() -> None:
    watched = Watched()
    waits = [watched.dies_after(1) for _ in range(TRIES - 1)]
    assert waits == pytest.approx([1, 2, 4, 8], abs=0.3)
    with pytest.raises(GivenUp, match="worker ended 5 times in a row"):
        watched.dies_after(1)


def test_a_child_that_has_worked_is_started_again_however_often_it_is_killed() -> None:
    watched = Watched()
    assert watched.dies_after(STEADY_SECONDS) == pytest.approx(1, abs=0.3)
    waits = [watched.dies_after(1) for _ in range(4 * TRIES)]
    assert max(waits) == pytest.approx(LONGEST_WAIT, abs=0.3)
    assert watched.dies_after(STEADY_SECONDS) == pytest.approx(1, abs=0.3)
