"""What a command costs: `sendoff model list` and `import sendoff` beside a bare interpreter and `import click`.

Run: python benchmarks/cli.py [--rounds N]. Goals: `model list` at most 0.7 s, `import sendoff` at most 0.15 s, both
from process start to end. Every round runs each of them once, in turn, in a process of its own; the first round is a
warm-up; medians are printed, and how many times the bare interpreter that is.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCRIPT = Path(sys.executable).with_name("sendoff")
COMMANDS: dict[str, list[str]] = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import click": [sys.executable, "-c", "import click"],
    "import sqlalchemy": [sys.executable, "-c", "import sqlalchemy"],
    "import sendoff": [sys.executable, "-c", "import sendoff"],
    "sendoff --version": [str(SCRIPT), "--version"],
    "sendoff model list": [str(SCRIPT), "model", "list", "-o", "none"],
}
GOALS = {"sendoff model list": 0.7, "import sendoff": 0.15}


def timed(command: list[str], env: dict[str, str]) -> float:
    """Seconds from start to end of a process."""
    began = time.perf_counter()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "SENDOFF_HOME": str(Path(folder) / "home")}
        env.pop("SENDOFF_SERVER", None)
        model = Path(folder) / "model.txt"
        for version in range(20):
            model.write_text(f"weights {version}")
            register = [str(SCRIPT), "model", "register", "-n", "bench", "-p", str(model), "-o", "none"]
            subprocess.run([*register, "--only-show-errors"], env=env, check=True)
        times: dict[str, list[float]] = {name: [] for name in COMMANDS}
        for number in range(rounds + 1):
            for name, command in COMMANDS.items():
                seconds = timed(command, env)
                if number:
                    times[name].append(seconds)
    bare = statistics.median(times["python -c pass"])
    print(f"{'command':<22}{'median':>10}{'best':>10}{'x bare':>9}  goal")
    for name, taken in times.items():
        median = statistics.median(taken)
        goal = GOALS.get(name)
        verdict = f"<= {goal} s: {'met' if median <= goal else 'MISSED'}" if goal else ""
        print(f"{name:<22}{median:>8.3f} s{min(taken):>8.3f} s{median / bare:>8.1f}x  {verdict}".rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
