"""What a deployment costs, each part beside what one would do by hand, in turn on the same machine.

Run: python benchmarks/deploy [--rounds N] [PART …]; the parts are process, code, image and model, all by default. With
other work on the machine: nice -n -20 python benchmarks/deploy. All but `process` need a Docker engine and the tests'
base image (tests/engine/setup.sh makes both). Medians and median ratios are printed, and which goals are met.

A part is a file here with `run(rounds, base) -> list[Row]`.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
import time
from pathlib import Path

from rows import Row, show

PARTS = {"process": "process", "code": "code_change", "image": "first_image", "model": "model_change"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="process, code, image or model")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--base", help="base image with Python 3.11; the tests' own by default")
    given = parser.parse_args()
    if unknown := [part for part in given.parts if part not in PARTS]:
        parser.error(f"{unknown[0]} is none of {', '.join(PARTS)}")
    parts = given.parts or list(PARTS)
    base = given.base or ""
    if not base and parts != ["process"]:
        setup = Path(__file__).parents[2] / "tests" / "engine" / "setup.sh"
        done = subprocess.run(["bash", str(setup), "--check"], capture_output=True, text=True, check=False)
        base = done.stdout.strip()
        if done.returncode:
            print("no Docker engine with the tests' base image: run tests/engine/setup.sh, or name a PART")
            return 1
    found: list[Row] = []
    for part in parts:
        began = time.perf_counter()
        rows = importlib.import_module(PARTS[part]).run(given.rounds, base)
        load = " ".join(f"{one:.1f}" for one in os.getloadavg())
        took = time.perf_counter() - began
        print(f"\n{part}: {given.rounds} rounds in {took:.0f} s, load {load}, {os.cpu_count()} CPUs")
        show(rows)
        found += rows
    missed = [row.name for row in found if not row.met]
    print(f"\ngoals: {'all met' if not missed else 'MISSED: ' + ', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
