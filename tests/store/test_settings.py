"""Settings: the file, the variables over it, and what a mistake is answered with."""

from __future__ import annotations

from pathlib import Path

import pytest

from sendoff.errors import InvalidInput
from sendoff.spec.settings import Settings, load_settings, names
from sendoff.store import open_store

DOCS = Path(__file__).parents[2] / "docs" / "store.md"


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {}) == Settings()


def test_the_file_is_read_and_variables_stand_over_it(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(
        'local_target = "docker"\nindex_url = "https://one/simple"\nextra_index_urls = ["https://two/simple"]\n'
    )
    environ = {
        "SENDOFF_INDEX_URL": "https://three/simple",
        "SENDOFF_FIND_LINKS": "/a https://b",
        "SENDOFF_INTERPRETERS": "/opt/py 36:/usr/bin/python3.8",
        "SENDOFF_OFFLINE": "yes",
        "SENDOFF_LOG_FILES": "2",
        "SENDOFF_SCAN_SECONDS": "1.5",
        "SENDOFF_PROXY": "",
    }
    settings = load_settings(tmp_path, environ)
    assert settings.local_target == "docker"
    assert settings.index_url == "https://three/simple"
    assert settings.extra_index_urls == ["https://two/simple"]
    assert settings.find_links == ["/a", "https://b"]
    assert settings.interpreters == ["/opt/py 36", "/usr/bin/python3.8"]
    assert settings.offline is True
    assert (settings.log_files, settings.scan_seconds, settings.proxy) == (2, 1.5, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('index-url = "x"', "index_url"),
        ('pickle_policy = "maybe"', "pickle_policy"),
        ("offline = 1", "offline"),
        ("log_files = -1", "log_files"),
        ("offline = ", "not valid TOML"),
        ('channels = "conda-forge"', "channels"),
    ],
)
def test_a_mistake_in_the_file_names_the_file_and_the_key(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "settings.toml").write_text(text)
    with pytest.raises(InvalidInput) as caught:
        load_settings(tmp_path, {})
    assert "settings.toml" in caught.value.message
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SENDOFF_OFFLINE", "perhaps"),
        ("SENDOFF_LOG_FILES", "many"),
        ("SENDOFF_PICKLE_POLICY", "allow"),
        ("SENDOFF_SCAN_SECONDS", "-1"),
    ],
)
def test_a_mistake_in_a_variable_names_it(tmp_path: Path, variable: str, value: str) -> None:
    with pytest.raises(InvalidInput, match=variable):
        load_settings(tmp_path, {variable: value})


def test_a_store_reads_its_settings(tmp_path: Path) -> None:
    with open_store(tmp_path, environ={"SENDOFF_PICKLE_POLICY": "deny"}) as store:
        assert store.settings.pickle_policy == "deny"


def test_every_setting_is_documented() -> None:
    page = DOCS.read_text()
    assert [name for name in names() if f"| `{name}` | `SENDOFF_{name.upper()}` |" not in page] == []
