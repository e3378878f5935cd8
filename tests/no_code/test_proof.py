"""What services without code answer is what the training library answers: a short form of ``make no-code-proof``."""

from __future__ import annotations

import collections

import pytest

from .proof import LIBRARIES, report, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_no_answer_differs_from_the_librarys_own() -> None:
    assert LIBRARIES  # what tests/prepare.py builds ahead
    count: collections.Counter[str] = collections.Counter()
    run(100, count, fresh=False)
    assert count["compared"] > count["refused"] and count["compared"] > 40, report(count)
    assert count["differing"] == 0
