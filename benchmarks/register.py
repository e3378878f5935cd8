"""Register a 1 GiB folder, and register it again, beside `cp` plus `sha256sum` of the same files.

Run: python benchmarks/register.py [--rounds N] [--mib SIZE] [--folder DIR]. Goals: the first at most 1.3 times `cp` and
`sha256sum` together; the second at most 1.2 times `sha256sum`, with 0 bytes stored. Each round does all four in turn on
files that are in the page cache; the first round is a warm-up; medians are printed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sendoff.registry import Registry
from sendoff.registry.collect import collect
from sendoff.spec.model import RegisterModel
from sendoff.spec.workspace import CreateWorkspace
from sendoff.store import Store, open_store

SHAPES = {
    "one file": lambda mib: [mib],
    "mixed": lambda mib: [mib // 2, mib // 4, *([1] * (mib - mib // 2 - mib // 4))],
}
FIRST_GOAL, SECOND_GOAL = 1.3, 1.2


def make(folder: Path, sizes: list[int]) -> None:
    """Files of random bytes (MiB each), which nothing can compress or find equal."""
    folder.mkdir()
    for number, size in enumerate(sizes):
        with (folder / f"part-{number:04}.bin").open("wb") as file:
            for _ in range(size):
                file.write(os.urandom(1 << 20))


def stored(home: Path) -> int:
    """Bytes in the blob store."""
    return sum(path.stat().st_size for path in (home / "blobs").rglob("*") if path.is_file())


def timed(work: Callable[[], object]) -> float:
    """Seconds that something takes, with nothing left to be written from before."""
    os.sync()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def register(store: Store, folder: Path) -> None:
    """What a user's `Model.register` does, without the API between."""
    Registry(store).register("bench", RegisterModel(name="m", files=collect(folder, store.blobs)))


def measure(root: Path, folder: Path) -> dict[str, float]:
    """One round: seconds of each, and the bytes that registering again stored."""
    files = sorted(str(path) for path in folder.iterdir())
    result = {
        "sha256sum": timed(lambda: subprocess.run(["sha256sum", *files], stdout=subprocess.DEVNULL, check=True)),
        "cp": timed(lambda: subprocess.run(["cp", "-r", str(folder), str(root / "copy")], check=True)),
    }
    shutil.rmtree(root / "copy")
    home = root / "home"
    with open_store(home) as store:
        Registry(store).create_workspace(CreateWorkspace(name="bench"))
        result["first"] = timed(lambda: register(store, folder))
        before = stored(home)
        result["again"] = timed(lambda: register(store, folder))
        result["bytes again"] = stored(home) - before
    shutil.rmtree(home)
    return result


def main() -> int:
    """Print a table; the exit code says whether the goals hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--folder", type=Path, help="where to work; the system's temporary folder by default")
    options = parser.parse_args()
    good = True
    print(f"{'files':10} {'cp s':>6} {'sha s':>6} {'first s':>8} {'ratio':>6} {'again s':>8} {'ratio':>6} {'bytes':>6}")
    for shape, sizes in SHAPES.items():
        with tempfile.TemporaryDirectory(dir=options.folder) as place:
            root = Path(place)
            make(root / "model", sizes(options.mib))
            rounds = [measure(root, root / "model") for _ in range(options.rounds + 1)][1:]
        middle = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
        first = middle["first"] / (middle["cp"] + middle["sha256sum"])
        again = middle["again"] / middle["sha256sum"]
        good = good and first <= FIRST_GOAL and again <= SECOND_GOAL and middle["bytes again"] == 0
        print(
            f"{shape:10} {middle['cp']:6.2f} {middle['sha256sum']:6.2f} {middle['first']:8.2f} {first:6.2f} "
            f"{middle['again']:8.2f} {again:6.2f} {middle['bytes again']:6.0f}"
        )
    print(f"goals (first <= {FIRST_GOAL}, again <= {SECOND_GOAL}, 0 bytes): {'held' if good else 'NOT held'}")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
