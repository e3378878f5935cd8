"""Every Python and command line sample of the article, in reading order, in one workspace.

What is supplied around a sample, and the smallest correction of one that is wrong as printed, stand in the steps
(``article_models``, ``article_services``, ``article_images``); the samples' text is read from the page.
"""

from __future__ import annotations

import time
from pathlib import Path

import article_images
import article_models
import article_services
import container_engine
import environment_cache
import pytest
from article import article
from article_reader import Reader
from article_samples import samples

STEPS = [*article_models.STEPS, *article_services.STEPS, *article_images.STEPS]


def test_no_sample_of_the_page_is_left_out() -> None:
    found = samples(article().read_text(encoding="utf-8"))
    known = {step.key for step in STEPS}
    assert [str(one) for one in found if one.key not in known] == []
    assert [one.key for one in found] == [step.key for step in STEPS]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_sample_runs_in_reading_order(tmp_path: Path) -> None:
    found = samples(article().read_text(encoding="utf-8"))
    environment_cache.interpreter("3.6")
    reader = Reader(tmp_path / "work", container_engine.base_image())
    try:
        for sample, step in zip(found, STEPS, strict=True):
            began = time.monotonic()
            try:
                step.run(reader, sample.text)
            except BaseException as error:
                error.add_note(f"at {sample}: {step.run.__name__}")
                raise
            print(f"{time.monotonic() - began:6.1f} s  {sample}: {step.run.__name__}", flush=True)
    finally:
        reader.close()
