"""Functions that a script wrote with ``async def``: what they return is waited for, on one event loop per worker."""

import os
from typing import Any, Optional, Tuple

_kept: Optional[Tuple[int, Any]] = None
"""The process that made the loop, and the loop: a forked worker shares none of its parent's file descriptors."""


def awaited(value: Any) -> Any:
    """Return what a function of the script returned; where that has to be awaited, what comes of it.

    The loop is the same for init() and every run(), so that clients and locks that one makes serve the other. Between
    two requests it stands still.

    Raises:
        BaseException: what the coroutine raises.
    """
    if not hasattr(type(value), "__await__"):
        return value
    import asyncio

    global _kept
    if _kept is None or _kept[0] != os.getpid() or _kept[1].is_closed():
        _kept = os.getpid(), asyncio.new_event_loop()
        asyncio.set_event_loop(_kept[1])
    return _kept[1].run_until_complete(value)
