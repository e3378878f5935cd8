"""Staying awake between requests that follow each other (docs/decisions/0004-where-the-time-goes.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from sendoff_serving.front.workers.awake import LONGEST, Awake

FEWEST = 8
SOON, LATE = 0.00005, 0.001


class Counting(asyncio.SelectorEventLoop):
    """A loop that counts what is to be called soon; it does not sleep before a turn that has such a thing to do."""

    called_soon = 0

    def call_soon(self, *arguments, **more):
        self.called_soon += 1
        return super().call_soon(*arguments, **more)


class Front:
    """What a front does with requests, at times of its own."""

    def __init__(self, loop: Counting) -> None:
        self._loop = loop
        self.now = 100.0
        self.awake = Awake(lambda: self.now)
        self.awake.begin(self.now)

    async def turns(self) -> int:
        """How many of three turns the loop would have slept before, but for what keeps it awake."""
        before = self._loop.called_soon
        for _ in range(3):
            await asyncio.sleep(0)
        return self._loop.called_soon - before - 3

    async def answer(self) -> bool:
        """Answer the last request; returns whether the loop stays awake."""
        self.awake.rest(self.now)
        return await self.turns() == 3

    async def ask(self, after: float) -> None:
        """Take a request so many seconds later."""
        while after > LONGEST:
            self.now += LONGEST
            after -= LONGEST
            await self.turns()
        self.now += after
        self.awake.begin(self.now)
        await self.turns()

    async def serve(self, times: int, after: float = SOON) -> list[bool]:
        """Answer and be asked so many times; returns whether the loop stayed awake, each time."""
        stayed = []
        for _ in range(times):
            stayed.append(await self.answer())
            await self.ask(after)
        return stayed


def run(work: Callable[[Front], Coroutine[None, None, None]]) -> None:
    loop = Counting()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(work(Front(loop)))


def test_the_loop_stays_awake_after_requests_that_came_soon_and_sleeps_when_none_comes() -> None:
    async def work(front: Front) -> None:
        assert await front.serve(FEWEST + 3) == [False] * FEWEST + [True] * 3
        assert await front.turns() == 0, "not while something runs"
        assert await front.answer()
        front.now += LONGEST * 1.1
        await front.turns()
        assert await front.turns() == 0, "it sleeps again"

    run(work)


def test_requests_that_come_late_or_seldom_keep_nothing_awake() -> None:
    async def work(front: Front) -> None:
        assert not any(await front.serve(100, LATE))
        for _ in range(20):
            assert not any(await front.serve(FEWEST - 1))
            assert not any(await front.serve(1, LATE))

    run(work)


def test_after_it_was_in_vain_it_takes_twice_as_many_until_it_paid() -> None:
    async def work(front: Front) -> None:
        for wanted in (FEWEST, FEWEST * 2, FEWEST * 4):
            assert not any(await front.serve(wanted))
            assert await front.serve(1, LATE) == [True]
        assert await front.serve(FEWEST * 8 + 1) == [False] * FEWEST * 8 + [True], "and then it paid"
        assert await front.serve(1, LATE) == [True]
        assert await front.serve(FEWEST * 2 + 1) == [False] * FEWEST * 2 + [True]

    run(work)


def test_rationed_processor_time_is_not_spent_on_it() -> None:
    async def work(front: Front) -> None:
        front.awake.allowed = False
        assert not any(await front.serve(FEWEST * 4))

    run(work)
