"""pip's settings are inherited, Sendoff's stand over them, an environment's own options complete them."""

import subprocess
import sys

import pytest

from sendoff.environments.indexes import effective, pip_settings, take_credentials
from sendoff.errors import InvalidInput
from sendoff.spec.settings import Settings


@pytest.fixture
def machine(tmp_path):
    """A machine where pip is configured globally, for the user and by variables."""
    (tmp_path / "etc" / "pip").mkdir(parents=True)
    (tmp_path / "etc" / "pip" / "pip.conf").write_text(
        "[global]\nindex-url = https://global.invalid/simple\ncert = /global.pem\n"
        "[install]\ntrusted-host = a.invalid\n    b.invalid\n"
    )
    (tmp_path / "home" / ".config" / "pip").mkdir(parents=True)
    (tmp_path / "home" / ".config" / "pip" / "pip.conf").write_text(
        "[global]\nindex_url = https://user.invalid/simple\n"
        "extra-index-url =\n    https://one.invalid/simple\n    https://two.invalid/simple\n"
        "[download]\nindex-url = https://not-for-us.invalid\n"
    )
    (tmp_path / "wheels").mkdir()
    return {
        "HOME": str(tmp_path / "home"),
        "XDG_CONFIG_DIRS": str(tmp_path / "etc"),
        "PIP_FIND_LINKS": str(tmp_path / "wheels"),
        "PIP_PROXY": "http://proxy.invalid:3128",
    }


def test_files_and_variables_are_read_in_pips_order(machine, tmp_path):
    found = pip_settings(machine, prefix=str(tmp_path))
    assert found.index_url == "https://user.invalid/simple"
    assert found.extra_index_urls == ["https://one.invalid/simple", "https://two.invalid/simple"]
    assert found.trusted_hosts[-2:] == ["a.invalid", "b.invalid"]
    assert found.find_links == [str(tmp_path / "wheels")]
    assert found.proxy == "http://proxy.invalid:3128"
    assert pip_settings({**machine, "PIP_INDEX_URL": "https://v.invalid"}, prefix="/x").index_url == "https://v.invalid"


def test_pip_itself_reads_the_same(machine, tmp_path):
    said = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], env=machine, capture_output=True, text=True, check=True
    ).stdout
    assert "global.index-url='https://user.invalid/simple'" in said
    assert "two.invalid" in said


def test_a_named_configuration_file_replaces_the_users(machine, tmp_path):
    other = tmp_path / "other.conf"
    other.write_text("[global]\nno-index = true\n")
    found = pip_settings({**machine, "PIP_CONFIG_FILE": str(other)}, prefix=str(tmp_path))
    assert found.no_index
    assert found.index_url == "https://global.invalid/simple"
    assert pip_settings({**machine, "PIP_CONFIG_FILE": "/dev/null"}, prefix=str(tmp_path)).index_url is None


def test_settings_stand_over_pip_and_options_complete_them(machine, tmp_path):
    settings = Settings(index_url="https://ours.invalid/simple", proxy="http://p.invalid", wheelhouse=str(tmp_path))
    options = ["--extra-index-url https://${WHERE}.invalid/simple", "--trusted-host c.invalid", "--pre"]
    found, _ = effective({**machine, "WHERE": "env"}, settings, options, prefix=str(tmp_path))
    assert found.index_url == "https://ours.invalid/simple"
    assert found.extra_index_urls[-1] == "https://env.invalid/simple"
    assert found.find_links == [str(tmp_path), str(tmp_path / "wheels")]
    assert found.proxy == "http://p.invalid"
    with pytest.raises(InvalidInput, match="WHERE"):
        effective(machine, settings, options, prefix=str(tmp_path))


def test_places_that_do_not_exist_are_left_out_with_a_note(machine, tmp_path):
    machine["PIP_EXTRA_INDEX_URL"] = f"file://{tmp_path}/gone/simple file://{tmp_path}/wheels"
    machine["PIP_FIND_LINKS"] = f"{tmp_path}/nothing"
    machine["PIP_CERT"] = f"{tmp_path}/none.pem"
    found, notes = effective(machine, Settings(), [], prefix=str(tmp_path))
    assert found.extra_index_urls == [f"file://{tmp_path}/wheels"]
    assert found.find_links == []
    assert found.cert is None
    assert len(notes) == 3
    with pytest.raises(InvalidInput, match="wheelhouse"):
        effective(machine, Settings(wheelhouse=str(tmp_path / "no")), [], prefix=str(tmp_path))


def test_a_password_is_never_shown_and_never_counts(tmp_path):
    def with_password(word):
        environ = {"PIP_INDEX_URL": f"https://me:{word}@host.invalid/simple", "PIP_CONFIG_FILE": "/dev/null"}
        return effective(environ, Settings(), [], prefix=str(tmp_path))[0]

    found = with_password("s%40cret")
    for text in (repr(found), str(found), found.described(), found.conceal("it was s@cret or s%40cret")):
        assert "cret" not in text
    assert found.key() == with_password("other").key()


def test_passwords_are_taken_out_of_options_and_kept_apart():
    lines, found = take_credentials(
        ["joblib", "--extra-index-url https://me:pw@h.invalid/s", "--index-url https://${T}@h.invalid"]
    )
    assert lines == ["joblib", "--extra-index-url https://h.invalid/s", "--index-url https://${T}@h.invalid"]
    assert found == {"https://h.invalid/s": "https://me:pw@h.invalid/s"}
