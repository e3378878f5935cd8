"""An old definition is resolved as of its time: the day that its pins tell, or one that somebody names."""

import datetime
import io
import subprocess
import tarfile

import pytest
from resolving import resolve
from sqlalchemy import insert

from environments import dated_index
from environments.wheels import make_wheel
from sendoff.environments import build
from sendoff.environments.service import Environments
from sendoff.errors import EnvironmentFailed, InvalidInput
from sendoff.spec.environment import EnvironmentSpec, PythonSpec, check_as_of, spec_digest
from sendoff.spec.parse import replace
from sendoff.spec.settings import Settings
from sendoff.store import open_store
from sendoff.store.tables import workspaces

TODAY = datetime.datetime.now(datetime.UTC).date()


def ago(days: int) -> str:
    return (TODAY - datetime.timedelta(days=days)).isoformat()


def spec(*pip, as_of="auto", **more):
    return EnvironmentSpec(name="e", python=PythonSpec(pip_packages=list(pip), as_of=as_of, **more))


def make_sdist(folder, name, version, backend):
    module = name.replace("-", "_")
    files = {
        "pyproject.toml": f'[build-system]\nrequires = ["{backend}"]\nbuild-backend = "{backend.replace("-", "_")}"\n',
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
    }
    path = folder / f"{module}-{version}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for inside, text in files.items():
            entry = tarfile.TarInfo(f"{module}-{version}/{inside}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


BACKEND = """\
import pathlib
VERSION = {version!r}


def get_requires_for_build_wheel(config_settings=None):
    return []


def build_wheel(folder, config_settings=None, metadata_directory=None):
    import base64, hashlib, zipfile
    name, info = "tiny_built-1.0-py3-none-any.whl", "tiny_built-1.0.dist-info"
    files = {{"tiny_built.py": "BUILT_WITH = %r" % VERSION,
             info + "/METADATA": "Metadata-Version: 2.1\\nName: tiny-built\\nVersion: 1.0\\n",
             info + "/WHEEL": "Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"}}
    files[info + "/RECORD"] = "".join(path + ",,\\n" for path in [*files, info + "/RECORD"])
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return name
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("index")
    make_wheel(folder, "tiny-app", "1.5", requires=["tiny-base"])
    make_wheel(folder, "tiny-base", "1.0")
    make_wheel(folder, "tiny-base", "2.0")
    make_wheel(folder, "tiny-new", "1.0", requires=["tiny-base"])
    make_wheel(folder, "tiny-late", "1.0", requires=["tiny-base>=2"])
    make_wheel(folder, "tiny-backend", "1.0", code=BACKEND.format(version="1.0"))
    make_wheel(folder, "tiny-backend", "2.0", code=BACKEND.format(version="2.0"))
    make_sdist(folder, "tiny-built", "1.0", "tiny-backend")
    # As pandas and pytz: what the releases of some years require cannot be read any more, those before require nothing.
    make_wheel(folder, "tiny-frames", "0.1")
    make_wheel(folder, "tiny-frames", "0.23", requires=["tiny-base (>=2011k)"])
    make_wheel(folder, "tiny-frames", "0.24", requires=["tiny-base"])
    return folder


DAYS = {
    "tiny_app-1.5-py3-none-any.whl": "2020-03-01",
    "tiny_base-1.0-py3-none-any.whl": "2019-01-01",
    "tiny_base-2.0-py3-none-any.whl": ago(10),
    "tiny_new-1.0-py3-none-any.whl": ago(100),
    "tiny_late-1.0-py3-none-any.whl": "2020-03-01",
    "tiny_backend-1.0-py3-none-any.whl": "2019-01-01",
    "tiny_backend-2.0-py3-none-any.whl": ago(10),
    "tiny_built-1.0.tar.gz": "2020-03-01",
    "tiny_frames-0.1-py3-none-any.whl": "2010-01-01",
    "tiny_frames-0.23-py3-none-any.whl": "2020-01-01",
    "tiny_frames-0.24-py3-none-any.whl": "2021-01-01",
}


@pytest.fixture(scope="module")
def index(folder):
    with dated_index.serve(folder, DAYS) as address:
        yield address


@pytest.fixture
def found(index, home, clean):
    def found(spec, **settings):
        return resolve(spec, home=home, settings=Settings(index_url=index, **settings), environ=clean)[0]

    return found


def test_what_is_not_pinned_is_taken_as_of_the_newest_pins_time(found):
    lock = found(spec("tiny-app==1.5"))
    assert lock.pins()["tiny-base"] == "1.0"
    assert lock.as_of == "2020-04-30"
    assert lock.as_of_reason == "60 days after tiny-app 1.5 (2020-03-01), the newest that is pinned"
    assert f"packages as of 2020-04-30: {lock.as_of_reason}" in lock.notes


def test_a_constraint_is_a_pin_too(found):
    assert found(spec("tiny-app", "--constraint tiny-app==1.5")).as_of == "2020-04-30"


def test_a_day_of_ones_own_and_never(found):
    own = found(spec("tiny-app", as_of="2021-01-01"))
    assert (own.as_of, own.as_of_reason, own.pins()["tiny-base"]) == ("2021-01-01", "as the environment says", "1.0")
    never = found(spec("tiny-app==1.5", as_of="never"))
    assert (never.as_of, never.pins()["tiny-base"]) == (None, "2.0")


def test_nothing_is_left_out_where_nothing_is_pinned_or_the_newest_pin_is_recent(found):
    for lines in (["tiny-app"], ["tiny-app>=1"], ["tiny-app==1.5", "tiny-new==1.0"]):
        lock = found(spec(*lines))
        assert (lock.as_of, lock.pins()["tiny-base"]) == (None, "2.0")
        assert not any("as of" in note for note in lock.notes)


def test_where_nothing_fits_on_that_day_everything_is_looked_at_and_it_is_said(found):
    lock = found(spec("tiny-late==1.0"))
    assert (lock.as_of, lock.pins()["tiny-base"]) == (None, "2.0")
    assert any("nothing fits then" in note and "2020-04-30" in note for note in lock.notes)
    with pytest.raises(EnvironmentFailed, match="do not go together"):
        found(spec("tiny-late==1.0", as_of="2020-04-30"))


def test_an_index_without_dates_is_said(folder, home, clean):
    with dated_index.serve(folder, {}) as address:
        settings = Settings(index_url=address)
        lock, _ = resolve(spec("tiny-app==1.5"), home=home, settings=settings, environ=clean)
    assert (lock.as_of, lock.pins()["tiny-base"]) == (None, "2.0")
    assert any("no dates" in note for note in lock.notes)


def test_releases_of_the_time_that_cannot_be_read_are_not_passed_over_for_older_ones(found):
    lock = found(spec("tiny-app==1.5", "tiny-frames"))
    assert (lock.as_of, lock.pins()["tiny-frames"], lock.pins()["tiny-base"]) == ("2020-04-30", "0.24", "1.0")
    assert any(note.startswith("tiny-frames: installers cannot read") for note in lock.notes)
    assert lock.undated == ["tiny-frames"]


def test_a_second_index_without_dates_takes_nothing_away(index, home, clean, tmp_path):
    private = tmp_path / "private"
    private.mkdir()
    make_wheel(private, "tiny-private", "3.0", requires=["tiny-base"])
    with dated_index.serve(private, {}) as address:
        settings = Settings(index_url=index, extra_index_urls=[address])
        lock, supply = resolve(spec("tiny-app==1.5", "tiny-private"), home=home, settings=settings, environ=clean)
        assert lock.pins() == {"tiny-app": "1.5", "tiny-base": "1.0", "tiny-private": "3.0", **_setuptools(lock)}
        assert lock.undated == ["tiny-private"]
        assert any(note.startswith("tiny-private: ") for note in lock.notes)
        build.ensure(lock, supply, home=home)


def _setuptools(lock):
    return {name: version for name, version in lock.pins().items() if name == "setuptools"}


def test_a_wheelhouse_says_nothing_of_days(home, clean, offline):
    lock, _ = resolve(spec("tiny-one==1.5"), home=home, settings=offline, environ=clean)
    assert lock.as_of is None
    assert not any("date" in note or "as of" in note for note in lock.notes)


def test_source_archives_are_built_with_what_there_was_then(index, home, clean, tmp_path):
    clean["UV_CACHE_DIR"] = str(tmp_path / "cache")
    for as_of, backend in (("auto", "1.0"), ("never", "2.0")):
        definition = spec("tiny-built==1.0", as_of=as_of)
        lock, supply = resolve(definition, home=home, settings=Settings(index_url=index), environ=clean)
        built = build.ensure(lock, supply, home=home)
        code = "import tiny_built; print(tiny_built.BUILT_WITH)"
        said = subprocess.run([str(built.python), "-c", code], capture_output=True, text=True, check=True).stdout
        assert said.strip() == backend
        subprocess.run(["rm", "-r", clean["UV_CACHE_DIR"]], check=True)  # uv keeps what it has built


@pytest.fixture
def rooms(home, clean, index):
    with open_store(home, environ={**clean, "SENDOFF_INDEX_URL": index}) as store:
        with store.begin() as connection:
            row = dict.fromkeys(("subscription_id", "resource_group", "location", "sku", "friendly_name"), "")
            connection.execute(insert(workspaces).values(name="ws", tags={}, created=0.0, **row))
        yield Environments(store, clean)


def test_a_lock_is_kept_and_show_tells_its_day(rooms):
    found = rooms.register("ws", spec("tiny-app==1.5"))
    lock = rooms.resolve(found.spec)
    view = rooms.get("ws", "e")
    assert (view.lock_digest, view.lock_as_of) == (lock.digest, "2020-04-30")
    assert "tiny-app 1.5" in view.lock_as_of_reason
    assert rooms.resolve(found.spec) == lock
    never = rooms.register("ws", spec("tiny-app==1.5", as_of="never"))
    assert never.version == "2"
    assert rooms.get("ws", "e").lock_as_of is None


def test_without_pins_what_the_model_was_made_with_tells_the_day(rooms):
    lock = rooms.resolve(spec("tiny-app"), stated=["tiny-app==1.5"])
    assert (lock.as_of, lock.pins()["tiny-base"]) == ("2020-04-30", "1.0")
    assert "which the model was made with" in lock.as_of_reason
    assert rooms.resolve(spec("tiny-app"), stated=["tiny-app==1.5"]) == lock
    assert rooms.resolve(spec("tiny-app")).as_of is None
    # An environment that has a lock keeps it, whatever the next model says.
    assert rooms.resolve(spec("tiny-app"), stated=["tiny-new==1.0"]).as_of is None


def test_a_lock_that_does_not_work_is_replaced_once(rooms):
    lock = rooms.resolve(spec("tiny-new==1.0"))
    assert (lock.as_of, lock.pins()["tiny-base"]) == (None, "2.0")
    again = rooms.resolve(spec("tiny-new==1.0"), again=lock)
    assert (again.as_of, again.pins()["tiny-base"]) == (ago(40), "1.0")
    assert rooms.resolve(spec("tiny-new==1.0")) == again
    unpinned = rooms.resolve(spec("tiny-app"))
    assert rooms.resolve(spec("tiny-app"), again=unpinned) == unpinned


@pytest.mark.parametrize(
    ("given", "kept"),
    [(None, "auto"), (" Never ", "never"), (datetime.date(2021, 3, 1), "2021-03-01"), ("2021-03-01", "2021-03-01")],
)
def test_a_day_is_read_as_text_and_as_yaml_makes_it(given, kept):
    assert check_as_of(given, where="f") == kept


@pytest.mark.parametrize("given", ["2021-13-01", "yesterday", 20210301, True, "", "2021-03-01T00:00"])
def test_what_is_no_day_is_told(given):
    with pytest.raises(InvalidInput, match=r"f: as_of: a date, auto or never"):
        check_as_of(given, where="f")


def test_the_digest_of_a_definition_without_a_day_is_what_it_was():
    plain = spec("tiny-app==1.5")
    assert spec_digest(plain) == spec_digest(replace(plain, python=replace(plain.python, as_of="auto")))
    assert spec_digest(plain) != spec_digest(spec("tiny-app==1.5", as_of="never"))
