"""How much processor time control groups grant."""

from __future__ import annotations

from pathlib import Path

import pytest

from sendoff_serving.front.workers.resources import processors_granted


@pytest.mark.parametrize(
    ("groups", "files", "granted"),
    [
        ("0::/\n", {}, None),
        ("0::/\n", {"cpu.max": "50000 100000\n"}, 0.5),
        ("0::/a/b\n", {"a/cpu.max": "20000 100000\n", "a/b/cpu.max": "max 100000\n"}, 0.2),
        ("0::/a/b\n", {"a/cpu.max": "200000 100000\n", "a/b/cpu.max": "150000 100000\n"}, 1.5),
        ("0::/not/here\n", {"cpu.max": "max 100000\n"}, None),
        (
            "2:cpuacct:/\n1:cpu:/docker/1\n0::/\n",
            {"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000"},
            0.5,
        ),
        ("1:cpu,cpuacct:/\n", {"cpu,cpuacct/cpu.cfs_quota_us": "-1", "cpu,cpuacct/cpu.cfs_period_us": "100000"}, None),
        ("1:memory:/\n", {"memory/cpu.max": "1 100000\n"}, None),
        ("0::/\n", {"cpu.max": "what is this"}, None),
    ],
)
def test_what_a_control_group_grants(tmp_path: Path, groups: str, files: dict[str, str], granted: float | None) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(groups)
    for name, text in files.items():
        path = tmp_path / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert processors_granted(tmp_path) == (float("inf") if granted is None else granted)


def test_without_control_groups_nothing_is_rationed(tmp_path: Path) -> None:
    assert processors_granted(tmp_path) == float("inf")
