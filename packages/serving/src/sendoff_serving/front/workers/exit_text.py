"""How a process ended, in words."""

from __future__ import annotations

import signal


def exit_text(status: int | None) -> str:
    """Say how a process ended.

    Args:
        status: its return code; negative for a signal, None where it has not ended.
    """
    if status is None:
        return "it closed its connection to the front"
    if status >= 0:
        return f"it exited with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = str(-status)
    more = " (as the kernel does when memory runs out)" if -status == signal.SIGKILL else ""
    return f"it was ended by {name}{more}"
