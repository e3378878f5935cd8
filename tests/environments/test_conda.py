"""conda packages are solved and installed from a channel, without conda."""

import os
import subprocess
import sys

import pytest
from resolving import resolve

from environments import conda_channels
from environments.wheels import make_wheel
from sendoff.environments import build
from sendoff.errors import EnvironmentFailed
from sendoff.spec.environment import EnvironmentSpec, PythonSpec

try:
    import rattler
except ImportError:
    if os.environ.get("CI") == "true":
        raise
    pytest.skip("py-rattler is not installed", allow_module_level=True)

VERSION = "{}.{}.{}".format(*sys.version_info[:3])
MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"
_CODE = b"VALUE = 42\n"


@pytest.fixture(scope="module")
def channel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("channel")
    conda_channels.pack_python(folder, str(rattler.Subdir.current()))
    conda_channels.pack(folder, "acme-data", "2.0", {"share/acme/table.csv": b"1,2\n"})
    conda_channels.pack(
        folder,
        "acme-private",
        "1.4",
        {"site-packages/acme_private.py": _CODE},
        noarch="python",
        depends=["python", "acme-data >=2"],
    )
    conda_channels.pack(folder, "acme-old", "0.1", {"share/old": b""}, noarch="generic", depends=["acme-data <2"])
    return conda_channels.index(folder)


def spec(channel, *conda, pip=()):
    return EnvironmentSpec(
        name="e", python=PythonSpec(channels=[channel], conda_packages=list(conda), pip_packages=list(pip))
    )


def test_a_channel_gives_python_and_packages_and_pip_the_rest(channel, home, clean, offline, wheelhouse):
    definition = spec(channel, f"python={MINOR}", "acme-private=1.4", pip=["tiny-one"])
    lock, supply = resolve(definition, home=home, settings=offline, environ=clean)
    assert lock.method == "conda"
    assert lock.python_version == VERSION
    assert sorted(line.rpartition("/")[2].split("#")[0] for line in lock.conda_packages) == [
        "acme-data-2.0-0.tar.bz2",
        "acme-private-1.4-0.tar.bz2",
        f"python-{VERSION}-0.tar.bz2",
    ]
    assert all("#sha256:" in line for line in lock.conda_packages)
    assert lock.pins() == {"tiny-base": "1.0", "tiny-one": "1.5"}
    assert any("conda packages" in note and channel in note for note in lock.notes)

    built = build.ensure(lock, supply, home=home)
    code = "import acme_private, tiny_one, sys; print(acme_private.VALUE, tiny_one.VERSION, sys.prefix)"
    said = subprocess.run([str(built.python), "-c", code], capture_output=True, text=True, check=True).stdout.split()
    folder = home / "environments" / built.key
    assert said == ["42", "1.5", str(folder)]
    assert (folder / "share" / "acme" / "table.csv").read_text() == "1,2\n"
    assert build.ensure(lock, supply, home=home).how == "built before"


def test_conda_packages_that_do_not_go_together_are_explained(channel, home, clean, offline):
    with pytest.raises(EnvironmentFailed) as error:
        resolve(spec(channel, "acme-private", "acme-old"), home=home, settings=offline, environ=clean)
    assert "acme-data" in str(error.value.context) + error.value.message
    assert channel in error.value.message


def test_what_the_channel_lacks_comes_from_pip_when_the_names_are_known(channel, home, clean, offline, wheelhouse):
    make_wheel(wheelhouse, "joblib", "1.0")
    lock, _ = resolve(spec(channel, f"python={MINOR}", "joblib=1.0"), home=home, settings=offline, environ=clean)
    assert lock.method == "pip"
    assert lock.pins()["joblib"] == "1.0"
    assert any("pip mapping is used instead" in note for note in lock.notes)


def test_a_channel_that_is_not_there_is_named(home, clean, offline, tmp_path):
    gone = (tmp_path / "gone").as_uri()
    with pytest.raises(EnvironmentFailed) as error:
        resolve(spec(gone, "acme-private"), home=home, settings=offline, environ=clean)
    assert gone in error.value.message
    assert "acme-private" in error.value.message
