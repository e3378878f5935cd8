"""What a kind of operation has to do: the steps that its runner calls one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sqlalchemy import Connection

Outcome = tuple[str, str, list[str]]
"""Reason code, message and log lines of a step that is done."""


class Work(Protocol):
    """The work of one operation. Each step may be done again after a crash at any point in it.

    What a kind does not need, it inherits.
    """

    repeated: frozenset[str] = frozenset()
    """Steps that a resumed operation does again: what they did may have been undone meanwhile."""

    def do(self, name: str) -> Outcome:
        """Do one step by its name.

        Raises:
            SendoffError: The step, and with it the operation, has failed.
        """

    def last_log(self) -> list[str]:
        """The newest lines that the user's own code wrote, for a step that failed; none where none runs."""
        return []

    def settle(self, connection: Connection) -> None:
        """Write what has become of it, in the transaction that ends the operation well."""

    def take_down(self) -> None:
        """End what this operation started, after it failed or was cancelled."""

    def settle_failed(self, connection: Connection) -> None:
        """Write what is left, in the transaction that ends the operation badly."""
