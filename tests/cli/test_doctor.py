"""`sendoff doctor` says what is there, and how to mend what is not."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from sendoff.api.doctor import _extras
from sendoff.cli.commands.doctor import api_checks, local_checks

from .conftest import Cli


def test_it_looks_at_this_machine_and_ends_well(cli: Cli):
    done = cli("doctor", "-o", "json")
    assert done.code == 0, done.out
    checks = {row["check"]: row for row in done.data}
    assert {"python", "compiler", "store", "disk", "interpreters", "uv", "docker", "ports", "supervisor"} <= set(checks)
    assert {row["state"] for row in done.data} <= {"ok", "warn", "fail"}
    assert all(row["fix"] for row in done.data if row["state"] != "ok")


def test_a_broken_store_is_a_fail_and_the_exit_code_is_14(script: Cli, home: Path):
    script("workspace", "create", "-w", "demo")
    (home / "sendoff.db").write_bytes(b"this is no database" * 100)
    done = script("doctor", "-o", "json")
    assert done.code == 14, done.err
    assert [row["check"] for row in done.data if row["state"] == "fail"] == ["store"]


def test_each_lack_is_graded_and_has_a_fix():
    rows = {
        row["check"]: row
        for row in api_checks(
            {
                "store": {"state": "broken", "error": {"message": "cannot be read", "hint": "chmod"}},
                "disk": {"free_gb": 0.1, "total_gb": 100},
                "interpreters": {},
                "uv": None,
                "docker": {"path": "/usr/bin/docker", "answers": False},
                "loopback_ports": False,
                "extras": {"server": False, "conda": True},
                "supervisor": {"state": "killed", "of": ["/home/run/.supervisor"]},
                "of_the_future": [1, 2],
            }
        )
    }
    assert {name: row["state"] for name, row in rows.items()} == {
        "store": "fail",
        "disk": "fail",
        "interpreters": "warn",
        "uv": "fail",
        "docker": "warn",
        "ports": "fail",
        "extras": "warn",
        "supervisor": "warn",
        "of the future": "ok",
    }
    assert 'pip install "sendoff-ml[server]"' in rows["extras"]["fix"]


def test_extras_are_looked_for_by_what_they_install(monkeypatch: pytest.MonkeyPatch):
    with_all = _extras()
    assert set(with_all) == {
        "server",
        "conda",
        "docker",
        "gateway",
        "otel",
        "pandas",
        "parquet",
        "profile",
        "s3",
        "azure",
    }
    assert all(with_all.values())  # the tests' own environment has every extra's packages
    real = importlib.metadata.distribution

    def without(name: str) -> importlib.metadata.Distribution:
        if name in ("uvicorn", "opentelemetry-sdk"):
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr("sendoff.api.doctor.distribution", without)
    assert {name for name, there in _extras().items() if not there} == {"server", "otel"}


def test_another_projects_distribution_of_our_modules_name_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    info = tmp_path / "sendoff-0.3.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sendoff\nVersion: 0.3.1\n")
    (info / "RECORD").write_text("sendoff/__init__.py,,\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    rows = {row["check"]: row for row in local_checks()}
    assert rows["sendoff"]["state"] == "fail"
    assert "sendoff-ml" in rows["sendoff"]["fix"]


def test_local_checks_name_the_interpreter():
    assert local_checks()[0]["state"] == "ok"
