"""Every input that coverage-guided fuzzing found worth keeping is tried again (tests/serving/fuzz.py makes them)."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import fuzz

CORPUS = Path(__file__).parent / "corpus"


@pytest.mark.parametrize("target", sorted(fuzz.TARGETS))
def test_the_kept_corpus_raises_nothing_but_what_is_allowed(target: str) -> None:
    kept = sorted((CORPUS / target).iterdir())
    assert kept, "the corpus is part of the repository"
    for path in kept:
        fuzz.TARGETS[target](path.read_bytes())
