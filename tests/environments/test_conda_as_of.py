"""conda packages as of the time of their newest pin, by their channel's timestamps.

The quick tests make their packages; the others pack real releases of the package index, with the days on which they
were uploaded, as a channel of 2026 would have them: old ones beside new ones. `make as-of-proof` runs those.
"""

from __future__ import annotations

import email
import os
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from resolving import resolve

from environments import conda_channels
from sendoff.environments import build, uv
from sendoff.errors import EnvironmentFailed
from sendoff.spec.environment import EnvironmentSpec, PythonSpec, canonical_name
from sendoff.spec.settings import Settings

rattler = pytest.importorskip("rattler")
SUBDIR = str(rattler.Subdir.current())
MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture(scope="module")
def channel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("channel")

    def pack(name, version, day, **facts):
        timestamp = conda_channels.moment(day) if day else None
        conda_channels.pack(
            folder, name, version, {f"share/{name}": b""}, noarch="generic", timestamp=timestamp, **facts
        )

    pack("python", f"{MINOR}.0", "2018-01-01")  # solved, and never installed
    pack("acme-base", "1.0.0", "2019-05-01")
    pack("acme-base", "2.0.0", "2026-06-01")
    pack("acme-app", "1.4.0", "2020-03-01", depends=["acme-base"])
    pack("acme-late", "1.0.0", "2020-03-01", depends=["acme-base >=2"])
    pack("acme-dateless", "1.0.0", None, depends=["acme-base"])
    return conda_channels.index(folder)


@pytest.fixture
def found(channel, home, clean, offline):
    def found(*conda, as_of="auto"):
        python = PythonSpec(channels=[channel], conda_packages=[f"python={MINOR}", *conda], as_of=as_of)
        lock, _ = resolve(EnvironmentSpec(name="e", python=python), home=home, settings=offline, environ=clean)
        return lock, {record["name"]: record["version"] for record in lock.conda_records}

    return found


def test_a_channels_timestamps_tell_the_day(found):
    lock, versions = found("acme-app=1.4.0")
    assert (lock.method, lock.as_of, versions["acme-base"]) == ("conda", "2020-04-30", "1.0.0")
    assert "acme-app 1.4.0 (2020-03-01)" in lock.as_of_reason
    lock, versions = found("acme-app=1.4.0", as_of="never")
    assert (lock.as_of, versions["acme-base"]) == (None, "2.0.0")
    lock, versions = found("acme-app", as_of="2021-01-01")
    assert (lock.as_of, versions["acme-base"]) == ("2021-01-01", "1.0.0")


def test_no_pin_no_date_and_nothing_that_fits_take_the_newest(found):
    assert found("acme-app")[1]["acme-base"] == "2.0.0"
    lock, versions = found("acme-dateless=1.0.0")
    assert (lock.as_of, versions["acme-base"]) == (None, "2.0.0")
    assert any("no dates" in note for note in lock.notes)
    lock, versions = found("acme-late=1.0.0")
    assert (lock.as_of, versions["acme-base"]) == (None, "2.0.0")
    assert any("nothing fits then" in note for note in lock.notes)
    with pytest.raises(EnvironmentFailed, match="acme-base"):
        found("acme-late=1.0.0", as_of="2020-04-30")


RELEASES = """
click==8.1.3 flask==2.2.3 gensim==4.3.1 imbalanced-learn==0.10.1 itsdangerous==2.1.2 jinja2==3.1.2 joblib==1.2.0
joblib==1.4.2 markupsafe==2.1.2 numpy==1.23.5 numpy==1.24.2 numpy==2.2.6 packaging==22.0 pandas==1.5.2 pandas==1.5.3
patsy==0.5.3 python-dateutil==2.8.2 pytz==2022.6 scikit-learn==1.2.1 scikit-learn==1.7.2 scipy==1.9.3 scipy==1.10.0
scipy==1.16.3 six==1.16.0 smart-open==6.3.0 statsmodels==0.13.5 threadpoolctl==3.1.0 werkzeug==2.2.3 werkzeug==3.1.3
"""
LISTS = [
    (["scikit-learn=1.2.1", "joblib"], "sklearn.linear_model, joblib"),
    (["pandas=1.5.3"], "pandas"),
    (["flask=2.2.3"], "flask"),
    (["imbalanced-learn=0.10.1"], "imblearn"),
    (["statsmodels=0.13.5"], "statsmodels.api"),
    (["gensim=4.3.1"], "gensim"),
]


@pytest.fixture(scope="module")
def real_channel(tmp_path_factory):
    """A channel of real releases, old and new, each with the day of its upload; what they need is as they say."""
    folder, work = tmp_path_factory.mktemp("real"), tmp_path_factory.mktemp("work")
    conda_channels.pack_python(folder, SUBDIR, timestamp=conda_channels.moment("2022-10-25"))
    known = {canonical_name(one.partition("==")[0]) for one in RELEASES.split()}
    for number, one in enumerate(RELEASES.split()):
        command = [uv.binary(), "pip", "compile", "-", "--quiet", "--no-deps", "--no-header", "--format", "pylock.toml"]
        text = subprocess.run(command, input=one, capture_output=True, text=True, check=True).stdout
        (package,) = tomllib.loads(text)["packages"]
        day = min(file["upload-time"] for file in package["wheels"]).date().isoformat()
        target = work / str(number)
        subprocess.run([uv.binary(), "pip", "install", "--quiet", "--no-deps", "--target", target, one], check=True)
        (info,) = target.glob("*.dist-info")
        needs = email.message_from_string((info / "METADATA").read_text()).get_all("Requires-Dist", [])
        files = {
            f"lib/python{MINOR}/site-packages/{path.relative_to(target)}": path
            for path in target.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        depends = [f"python {MINOR}.*", *filter(None, (_match_spec(need, known) for need in needs))]
        conda_channels.pack(
            folder,
            canonical_name(package["name"]),
            package["version"],
            files,
            subdir=SUBDIR,
            depends=depends,
            timestamp=conda_channels.moment(day),
        )
    return conda_channels.index(folder)


def _match_spec(text, known):
    need = Requirement(text)
    name = canonical_name(need.name)
    if name not in known or (need.marker and not need.marker.evaluate({"extra": ""})):
        return None
    # conda's match specs have no "compatible release" of pip's kind.
    conditions = str(need.specifier).replace("~=", ">=")
    return f"{name} {conditions}".strip()


@pytest.mark.as_of_proof
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("lines", "modules"), LISTS, ids=lambda value: ",".join(value) if isinstance(value, list) else None
)
def test_an_old_conda_list_is_built_as_of_its_time_and_imports_what_it_names(real_channel, tmp_path, lines, modules):
    outcomes = {}
    for as_of in ("auto", "never"):
        python = PythonSpec(channels=[real_channel], conda_packages=[f"python={MINOR}", *lines], as_of=as_of)
        definition = EnvironmentSpec(name="old", python=python)
        lock, supply = resolve(definition, home=tmp_path, settings=Settings(), environ=os.environ)
        built = build.ensure(lock, supply, home=tmp_path)
        done = subprocess.run(
            [str(built.python), "-c", f"import {modules}"], capture_output=True, text=True, cwd=tmp_path
        )
        outcomes[as_of] = (lock.method, lock.as_of, done.returncode, done.stderr[-300:])
    print(lines, outcomes)
    assert outcomes["auto"][:1] == ("conda",)
    assert outcomes["auto"][1] is not None
    assert outcomes["auto"][2] == 0, outcomes["auto"][3]
