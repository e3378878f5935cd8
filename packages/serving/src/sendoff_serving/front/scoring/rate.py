"""How often one caller may ask: a bucket of requests for each, filled at a steady rate (pain 38)."""

from __future__ import annotations

import math
import time
from collections import OrderedDict

from ...errors import Refusal

_MOST_CALLERS = 10_000


class RateLimit:
    """Counts the requests of each caller.

    Args:
        per_second: requests a second that a caller may make in the long run.
        burst: requests that it may make at once.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def admit(self, caller: str) -> Refusal | None:
        """Count a request; return a refusal when it is one too many.

        Args:
            caller: name of the key or token's subject, or the client's address where nobody is named.
        """
        now = time.monotonic()
        left, before = self._buckets.pop(caller, (self._burst, now))
        left = min(self._burst, left + (now - before) * self._per_second)
        refused = left < 1.0
        self._buckets[caller] = (left if refused else left - 1.0, now)
        if len(self._buckets) > _MOST_CALLERS:
            self._buckets.popitem(last=False)
        if not refused:
            return None
        wait = max(math.ceil((1.0 - left) / self._per_second), 1)
        return Refusal(
            "rate_limited",
            f"This caller may make {self._per_second:g} requests a second",
            f"ask again in {wait} s; the limit is the setting rate_limit_per_second",
            retry_after=wait,
        )
