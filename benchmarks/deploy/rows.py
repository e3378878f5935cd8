"""Rows of the table: times of ours beside those of a peer, round by round."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field


@dataclass
class Row:
    """One thing that was measured. Ratios are taken within a round, so that a slow minute hits both.

    Args:
        name: What it is.
        seconds: Of each round.
        peer: The peer's, of the same rounds; none for a peer itself.
        most_ratio: The goal as a ratio to the peer.
        most_above: The goal as seconds above the peer; with no peer, as seconds.
        note: Printed where there is no goal.
    """

    name: str
    seconds: list[float] = field(default_factory=list)
    peer: list[float] = field(default_factory=list)
    most_ratio: float | None = None
    most_above: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The median of the rounds' ratios."""
        if not self.peer:
            return None
        return statistics.median(ours / theirs for ours, theirs in zip(self.seconds, self.peer, strict=True))

    @property
    def met(self) -> bool:
        """Whether the goal is met; True where there is none."""
        if self.most_ratio is not None and self.ratio is not None and self.ratio > self.most_ratio:
            return False
        base = statistics.median(self.peer) if self.peer else 0.0
        return self.most_above is None or statistics.median(self.seconds) - base <= self.most_above

    @property
    def goal(self) -> str:
        """The goal in words, and whether it is met."""
        if self.most_ratio is not None:
            text = f"<= {self.most_ratio:g} x"
        elif self.most_above is not None:
            text = f"<= {self.most_above:g} s" + (" above" if self.peer else "")
        else:
            return self.note
        return f"{text}: {'met' if self.met else 'MISSED'}"


def show(rows: list[Row]) -> None:
    """Print them."""
    print(f"{'':48}{'median':>9}{'least':>9}{'most':>9}{'ratio':>8}  goal")
    for row in rows:
        ratio = f"{row.ratio:7.2f}x" if row.ratio is not None else " " * 8
        middle = statistics.median(row.seconds)
        print(f"{row.name:48}{middle:9.2f}{min(row.seconds):9.2f}{max(row.seconds):9.2f}{ratio}  {row.goal}".rstrip())
