"""The files from which a scoring server learns who may ask it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sendoff.errors import StoreError
from sendoff.spec.access import Access, Pem
from sendoff.spec.parse import replace
from sendoff.targets import access_folder
from sendoff.targets.run_folder import RunFolder

SECURE = Access(
    document={"auth": "key", "tls": "tls-1"},
    made=1,
    certificates={"tls-1": Pem(certificate="C1", key="K1")},
    certificate="tls-1",
)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path, "u")
    made.path.mkdir(parents=True)
    return made


def names(folder: RunFolder) -> list[str]:
    return sorted(str(path.relative_to(folder.path)) for path in folder.path.rglob("*") if path.is_file())


def test_files_and_folders_are_this_users_alone(folder: RunFolder) -> None:
    file = access_folder.write(folder, SECURE, {"enabled": True})
    assert file == folder.path / "access" / "auth.json"
    assert json.loads(file.read_text()) == SECURE.document
    assert names(folder) == [
        *("access.stamp", "access/auth.json", "access/telemetry.json", "access/tls-1.crt", "access/tls-1.key")
    ]
    assert {path.stat().st_mode & 0o777 for path in (folder.path, folder.path / "access")} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in (folder.path / "access").iterdir()} == {0o600}


def test_certificates_for_a_gateway_are_not_the_servers(folder: RunFolder) -> None:
    access_folder.write(folder, SECURE, None, gateway=True)
    assert names(folder) == ["access.stamp", "access/auth.json", "tls/tls-1.crt", "tls/tls-1.key"]
    file = access_folder.certificate_file(folder, SECURE)
    assert file is not None and (file.read_text(), file.with_suffix(".key").read_text()) == ("C1", "K1")


def test_what_is_not_given_any_more_goes(folder: RunFolder) -> None:
    access_folder.write(folder, SECURE, None)
    plain = Access(document={"auth": "none", "tls": None}, made=2)
    access_folder.write(folder, plain, None)
    assert names(folder) == ["access.stamp", "access/auth.json"]


def test_of_two_the_one_that_was_made_later_is_in_force(folder: RunFolder) -> None:
    later = replace(SECURE, made=5, document={"auth": "token", "tls": None}, certificates={}, certificate=None)
    access_folder.write(folder, later, None)
    file = access_folder.write(folder, SECURE, {"enabled": True})
    assert file is not None and json.loads(file.read_text()) == later.document
    assert names(folder) == ["access.stamp", "access/auth.json"]


def test_a_folder_that_cannot_be_written_is_said(folder: RunFolder) -> None:
    (folder.path / "access").write_text("in the way")
    with pytest.raises(StoreError, match="access"):
        access_folder.write(folder, SECURE, None)
