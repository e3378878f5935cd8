"""Images beside a hand-written Dockerfile with `pip install`, the engine and the package caches warm.

Run: SENDOFF_BASE_IMAGE=$(tests/engine/setup.sh) python benchmarks/image.py. Goals: the first image of a new lock in at
most half the Dockerfile's time; a code edit in at most 4 s; a new 500 MB model within 1.5 times `cp` and `sha256sum` of
it where it is mounted (as the docker target does), as a layer for comparison; size within 1.15 of base and packages.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PACKAGES = ["scikit-learn==1.7.2", "pandas==2.3.3"]
SCORE = "import sklearn\ndef init(): pass\ndef run(data): return {edit}\n"


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def dockerfile(folder: Path, base: str, tag: str) -> float:
    """What a person would write, with pip's cache kept between builds as a wheel folder beside it."""
    wheels = folder / "wheels"
    command = [sys.executable, "-m", "pip", "download", "-q", "-d", str(wheels), "--python-version", "3.11"]
    command += ["--only-binary=:all:", *PACKAGES, "uvloop", "httptools"]
    subprocess.run(command, check=True)
    (folder / "score.py").write_text(SCORE.format(edit=0))
    (folder / "Dockerfile").write_text(
        f"FROM {base}\nCOPY wheels /wheels\nRUN python3 -m venv /venv && /venv/bin/pip install -q --no-index "
        f"--find-links /wheels {' '.join(PACKAGES)} uvloop httptools\nCOPY score.py /app/score.py\n"
    )
    command = ["docker", "build", "-q", "--network=none", "--no-cache", "-t", tag, str(folder)]
    return seconds(lambda: subprocess.run(command, check=True, capture_output=True))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, choices=(1, 2, 3), default=3)
    rounds = parser.parse_args().rounds
    base = os.environ["SENDOFF_BASE_IMAGE"]
    root = Path(tempfile.mkdtemp(prefix="sendoff-bench-"))
    sys.path[:0] = [str(Path(__file__).parents[1] / "tests"), str(Path(__file__).parents[1] / "tests" / "packaging")]
    from image_rig import Rig, locked

    from sendoff.containers.engine import connect

    engine = connect()
    conda = "dependencies:\n  - python=3.11\n  - pip:\n" + "".join(f"      - {one}\n" for one in PACKAGES)
    try:
        lock = locked(conda)
        warm = Rig(root / "warm", base, share_layers=False)  # fills uv's cache, as pip's wheels are there too
        warm.build(engine, warm.bundle(lock, SCORE.format(edit=-1)), lock)
        hand, fresh, first, edit = [], [], [], []
        for number in range(rounds):
            (root / f"hand{number}").mkdir()
            hand.append(dockerfile(root / f"hand{number}", base, "sendoff-bench-hand"))
            rig = Rig(root / f"home{number}", base, share_layers=False)
            # Locks of their own: the engine would find the layers of the round before.
            for times, minor in ((fresh, 4), (first, 7)):
                lock = locked(f"{conda}      - idna==3.{minor + number}\n")
                bundle = rig.bundle(lock, SCORE.format(edit=f"{number}.5"))
                times.append(seconds(lambda rig=rig, bundle=bundle, lock=lock: rig.build(engine, bundle, lock)))
            bundle = rig.bundle(lock, SCORE.format(edit=f"{number}.75"))
            edit.append(seconds(lambda rig=rig, bundle=bundle, lock=lock: rig.build(engine, bundle, lock)))
        model = root / "model.bin"
        with model.open("wb") as file:
            for _ in range(500):
                file.write(os.urandom(1_000_000))
        copy = seconds(lambda: shutil.copyfile(model, root / "copy.bin"))
        digest = seconds(lambda: subprocess.run(["sha256sum", str(model)], check=True, capture_output=True))
        content = model.read_bytes()
        bundle = rig.bundle(lock, model=content)
        del content
        mounted = seconds(lambda: rig.build(engine, bundle, lock, models="mounted"))
        baked = seconds(lambda: rig.build(engine, bundle, lock))
        made = rig.build(engine, rig.bundle(lock, SCORE.format(edit=9)), lock, models="mounted")
        installed = sum(layer.size for layer in made.layers if layer.name in ("server", "packages"))
        size = made.size / (engine.images.get(base).attrs["Size"] + installed)
        rows = [
            ("hand-written Dockerfile, pip install", min(hand), ""),
            ("first image of a home", min(fresh), f"{min(fresh) / min(hand):.2f} x the Dockerfile"),
            ("first image of a new lock", min(first), f"{min(first) / min(hand):.2f} x the Dockerfile (goal 0.5)"),
            ("image after a code edit", min(edit), "goal 4 s to Healthy"),
            ("cp + sha256sum of 500 MB", copy + digest, ""),
            ("image for a new 500 MB model, mounted", mounted, f"{mounted / (copy + digest):.2f} x (goal 1.5)"),
            ("image with a new 500 MB model in it", baked, f"{baked / (copy + digest):.2f} x"),
        ]
        for name, value, note in rows:
            print(f"{name:<42} {value:7.2f} s  {note}")
        print(f"{'image size':<42} {made.size / 1e6:7.1f} MB {size:.2f} x base and packages (goal 1.15)")
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
