"""What a command costs: `sendoff model list` and `import sendoff` beside a bare interpreter and their main imports.

Run: python benchmarks/cli.py [--rounds N] [--json FILE]. Goals: `import sendoff` at most 3 times `python -c pass`,
`model list` at most 1.3 times `python -c 'import sqlalchemy'` (docs/decisions/0009 says what it takes and why), both by
the processor time of the whole process, which other programs on the machine disturb less than the time by the clock.
Every round runs each of them once, in turn, in a process of its own; the first round is a warm-up; medians are printed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
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
GOALS = {"sendoff model list": (1.3, "import sqlalchemy"), "import sendoff": (3.0, "python -c pass")}
"""At most so many times the processor time of the other."""


def timed(command: list[str], env: dict[str, str]) -> tuple[float, float]:
    """Seconds by the clock and of processor time, from start to end of a process."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, cpu


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--json", type=Path, help="write the figures there, by name")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "SENDOFF_HOME": str(Path(folder) / "home")}
        env.pop("SENDOFF_SERVER", None)
        model = Path(folder) / "model.txt"
        for version in range(20):
            model.write_text(f"weights {version}")
            register = [str(SCRIPT), "model", "register", "-n", "bench", "-p", str(model), "-o", "none"]
            subprocess.run([*register, "--only-show-errors"], env=env, check=True)
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
        for number in range(options.rounds + 1):
            for name, command in COMMANDS.items():
                seconds = timed(command, env)
                if number:
                    taken[name].append(seconds)
    wall, cpu = (
        {name: statistics.median(pair[place] for pair in pairs) for name, pairs in taken.items()} for place in (0, 1)
    )
    print(f"{'command':<22}{'clock':>10}{'processor':>12}{'x bare':>9}  goal")
    for name in COMMANDS:
        verdict = ""
        if name in GOALS:
            goal, other = GOALS[name]
            ratio = cpu[name] / cpu[other]
            verdict = f"{ratio:.2f} x {other}, at most {goal:g}: {'met' if ratio <= goal else 'MISSED'}"
        times = f"{wall[name]:>8.3f} s{cpu[name]:>10.3f} s{cpu[name] / cpu['python -c pass']:>8.1f}x"
        print(f"{name:<22}{times}  {verdict}".rstrip())
    if options.json:
        figures = {name: {"seconds": wall[name], "cpu_seconds": cpu[name]} for name in COMMANDS}
        ratios = {f"{name} / {other}": cpu[name] / cpu[other] for name, (_, other) in GOALS.items()}
        options.json.write_text(json.dumps({"commands": figures, "ratios": ratios}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
