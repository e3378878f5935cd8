"""The first image of a new lock beside a hand-written Dockerfile with `pip install`, engine and package caches warm.

Each round has a lock of its own. Goals: at most half the Dockerfile's time; the image at most 1.15 times base and
packages.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rows import Row

TESTS = Path(__file__).parents[2] / "tests"
PACKAGES = ["scikit-learn==1.7.2", "pandas==2.3.3"]
SERVER = ["uvloop", "httptools"]
SCORE = "import sklearn\ndef init(): pass\ndef run(data): return {edit}\n"
CONDA = "dependencies:\n  - python=3.11\n  - pip:\n" + "".join(f"      - {one}\n" for one in PACKAGES)
NEW = ["3.4", "3.7", "3.10", "3.6", "3.8", "3.9", "2.10", "3.3", "2.9", "2.8"]
"""Versions of one small package more: each makes another lock."""


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def dockerfile(folder: Path, base: str, wheels: Path, extra: str) -> float:
    """What a person would write, with pip's cache kept between builds as a wheel folder beside it."""
    folder.mkdir()
    shutil.copytree(wheels, folder / "wheels")
    (folder / "score.py").write_text(SCORE.format(edit=0))
    (folder / "Dockerfile").write_text(
        f"FROM {base}\nCOPY wheels /wheels\nRUN python3 -m venv /venv && /venv/bin/pip install -q --no-index "
        f"--find-links /wheels {' '.join([*PACKAGES, *SERVER, extra])}\nCOPY score.py /app/score.py\n"
    )
    command = ["docker", "build", "-q", "--network=none", "--no-cache", "-t", "sendoff-bench-hand", str(folder)]
    return seconds(lambda: subprocess.run(command, check=True, capture_output=True))


def download(wheels: Path, packages: list[str]) -> None:
    command = [sys.executable, "-m", "pip", "download", "-q", "-d", str(wheels), "--python-version", "3.11"]
    subprocess.run([*command, "--only-binary=:all:", *packages], check=True)


def run(rounds: int, base: str) -> list[Row]:
    """Measure upon a base image."""
    sys.path[:0] = [str(TESTS), str(TESTS / "packaging")]
    os.environ["SENDOFF_BASE_IMAGE"] = base
    from image_rig import Rig, locked

    from sendoff.containers import images
    from sendoff.containers.engine import connect

    root = Path(tempfile.mkdtemp(prefix="sendoff-bench-"))
    hand = Row("hand-written Dockerfile, pip install")
    first = Row("first image of a new lock", peer=hand.seconds, most_ratio=0.5)
    fresh = Row("first image of a new home (and the server's)", peer=hand.seconds)
    edit = Row("image after a code edit", peer=hand.seconds)
    size = Row("image size, GB", most_ratio=1.15)
    made = []
    try:
        download(root / "wheels", [*PACKAGES, *SERVER])
        warm = Rig(root / "warm", base, share_layers=False)  # fills uv's cache, as pip's wheels are there too
        lock = locked(CONDA)
        made.append(warm.build(None, warm.bundle(lock, SCORE.format(edit=-1)), lock))
        for number in range(rounds):
            extra = f"idna=={NEW[number % len(NEW)]}"
            shutil.copytree(root / "wheels", root / f"wheels{number}")
            download(root / f"wheels{number}", [extra])
            lock = locked(f"{CONDA}      - {extra}\n")
            hand.seconds.append(dockerfile(root / f"hand{number}", base, root / f"wheels{number}", extra))
            for rig, row in ((warm, first), (Rig(root / f"home{number}", base, share_layers=False), fresh)):
                # Code of its own: the engine would find the image of the other.
                bundle = rig.bundle(lock, SCORE.format(edit=f"{number}.{len(row.name)}"))
                for image in made:
                    images.remove(connect(), image.id, force=True)  # nor may it find the layers
                made.clear()
                row.seconds.append(seconds(lambda rig=rig, b=bundle, lock=lock: made.append(rig.build(None, b, lock))))
            bundle = warm.bundle(lock, SCORE.format(edit=f"{number}.75"))
            edit.seconds.append(seconds(lambda b=bundle, lock=lock: made.append(warm.build(None, b, lock))))
            installed = sum(layer.size for layer in made[-1].layers if layer.name in ("server", "packages"))
            below = images.find(connect(), base)
            assert below is not None
            size.seconds.append(made[-1].size / 1e9)
            size.peer.append((below["Size"] + installed) / 1e9)
    finally:
        for image in made:
            images.remove(connect(), image.id, force=True)
        images.remove(connect(), "sendoff-bench-hand", force=True)
        shutil.rmtree(root, ignore_errors=True)
    return [hand, first, fresh, edit, size]
