"""A definition becomes a lock with hashes, or an error that says what does not go together."""

import http.server
import io
import socket
import tarfile
import threading
import time

import pytest
from resolving import resolve

from environments.wheels import make_wheel
from sendoff.environments.resolve import Resolution
from sendoff.errors import EnvironmentFailed, InterpreterNotFound
from sendoff.spec.environment import EnvironmentSpec, PythonSpec
from sendoff.spec.parse import encode
from sendoff.spec.settings import Settings


def spec(*pip, conda=(), **more):
    return EnvironmentSpec(name="e", python=PythonSpec(conda_packages=list(conda), pip_packages=list(pip), **more))


def test_a_wheelhouse_gives_the_whole_closure_with_hashes_offline(home, clean, offline):
    """spec/pains.md 23."""
    lock, _ = resolve(spec("tiny-one"), home=home, settings=offline, environ=clean)
    assert lock.pins() == {"tiny-base": "1.0", "tiny-one": "1.5"}
    assert lock.requirements.count("--hash=sha256:") == 2
    assert lock.method == "pip"
    again, _ = resolve(spec("tiny-one"), home=home, settings=offline, environ=clean)
    assert again == lock


def test_conflicting_packages_are_named_with_the_reason(home, clean, offline):
    """spec/pains.md 13."""
    with pytest.raises(EnvironmentFailed) as error:
        resolve(spec("tiny-one", "tiny-two"), home=home, settings=offline, environ=clean)
    assert "do not go together" in error.value.message
    assert "tiny-base<2" in error.value.message
    assert "tiny-base>=2" in error.value.message
    assert error.value.hint
    assert error.value.context["log"]


def test_an_unknown_package_is_named(home, clean, offline):
    with pytest.raises(EnvironmentFailed) as error:
        resolve(spec("tiny-unheard-of"), home=home, settings=offline, environ=clean)
    assert "tiny-unheard-of" in str(error.value)
    assert "wheelhouse" in error.value.hint


def test_a_name_that_is_often_taken_for_another_is_said_to_be_that(home, clean, offline, wheelhouse):
    """The index's ``sklearn`` only raises; scikit-learn/sklearn-pypi-package#8."""
    with tarfile.open(wheelhouse / "sklearn-0.0.tar.gz", "w:gz") as archive:
        for name, text in {
            "PKG-INFO": "Metadata-Version: 2.1\nName: sklearn\nVersion: 0.0\n",
            "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "no"\nbackend-path = ["."]\n',
            "no.py": "raise RuntimeError('use scikit-learn')\n",
        }.items():
            entry = tarfile.TarInfo(f"sklearn-0.0/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    with pytest.raises(EnvironmentFailed) as error:
        resolve(spec("sklearn"), home=home, settings=offline, environ=clean)
    assert "sklearn is not the package that was meant" in error.value.message
    assert error.value.hint == "Write scikit-learn in its place."


def test_constraints_hold(home, clean, offline):
    lock, _ = resolve(spec("tiny-base", "--constraint tiny-base<2"), home=home, settings=offline, environ=clean)
    assert lock.pins() == {"tiny-base": "1.0"}


def test_the_environments_own_hashes_hold(home, clean, offline, wheelhouse):
    lock, _ = resolve(spec("tiny-base==1.0"), home=home, settings=offline, environ=clean)
    right = lock.requirements.partition("--hash=")[2].strip()
    same, _ = resolve(spec(f"tiny-base==1.0 --hash={right}"), home=home, settings=offline, environ=clean)
    assert same.requirements == lock.requirements
    with pytest.raises(EnvironmentFailed, match="none of the hashes"):
        resolve(spec(f"tiny-base==1.0 --hash=sha256:{'0' * 64}"), home=home, settings=offline, environ=clean)


def test_an_index_that_does_not_answer_is_an_error_in_bounded_time(home, clean):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/simple"
        start = time.monotonic()
        with pytest.raises(EnvironmentFailed) as error:
            resolve(spec("tiny-cannot-be-had"), home=home, settings=Settings(index_url=url), environ=clean)
    assert "cannot be reached" in error.value.message
    assert url in error.value.message
    assert "index_url" in error.value.hint
    assert time.monotonic() - start < 120, "uv gives up after its retries"


def test_pips_own_configuration_is_used_and_its_missing_places_do_no_harm(home, clean, wheelhouse, tmp_path):
    conf = tmp_path / "pip.conf"
    conf.write_text(
        "[global]\nno-index = true\n"
        f"find-links = {wheelhouse}\n    {tmp_path}/nothing-here\n"
        f"extra-index-url = file://{tmp_path}/gone/simple\n"
    )
    lock, _ = resolve(spec("tiny-two"), home=home, settings=Settings(), environ={**clean, "PIP_CONFIG_FILE": str(conf)})
    assert lock.pins() == {"tiny-base": "2.0", "tiny-two": "0.3"}
    assert sum("does not exist and is left out" in note for note in lock.notes) == 2


def test_a_folder_index_that_lacks_most_packages_does_no_harm(home, clean, wheelhouse, tmp_path):
    (tmp_path / "index" / "other-thing").mkdir(parents=True)
    settings = Settings(offline=True, wheelhouse=str(wheelhouse), extra_index_urls=[f"file://{tmp_path}/index"])
    lock, _ = resolve(spec("tiny-two"), home=home, settings=settings, environ=clean)
    assert lock.pins()["tiny-two"] == "0.3"


class _Index(http.server.BaseHTTPRequestHandler):
    """A package index on loopback that wants a password; a stand-in for a company's."""

    seen: list = []
    wheels = None

    def do_GET(self):
        self.seen.append(self.headers.get("Authorization"))
        if self.headers.get("Authorization") is None:
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.end_headers()
            return
        name = self.path.strip("/").split("/")[-1]
        if name.endswith(".whl"):
            body = (self.wheels / name).read_bytes()
        else:
            files = [path.name for path in self.wheels.iterdir() if path.name.startswith(name.replace("-", "_") + "-")]
            if not files:
                self.send_error(404)
                return
            body = "".join(f'<a href="/files/{file}">{file}</a>' for file in files).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream" if name.endswith(".whl") else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def private_index(tmp_path):
    folder = tmp_path / "private"
    folder.mkdir()
    make_wheel(folder, "tiny-private", "7.0")
    handler = type("Handler", (_Index,), {"seen": [], "wheels": folder})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://me:plantedSecret@127.0.0.1:{server.server_port}/simple"
    server.shutdown()
    thread.join()


def test_a_password_reaches_the_index_and_nothing_else(home, clean, private_index):
    """spec/pains.md 24."""
    said = []
    lock, supply = resolve(
        spec("tiny-private"), home=home, settings=Settings(index_url=private_index), environ=clean, progress=said.append
    )
    assert lock.pins() == {"tiny-private": "7.0"}
    assert b"plantedSecret" not in encode(lock)
    assert "plantedSecret" not in "".join(said) + repr(supply)
    with pytest.raises(EnvironmentFailed) as error:
        resolve(spec("tiny-none"), home=home, settings=Settings(index_url=private_index), environ=clean)
    assert "plantedSecret" not in str(error.value) + str(error.value.payload())


def test_additions_give_way_when_the_rest_does_not_resolve_with_them(home, clean, offline):
    lock, _ = resolve(spec("tiny-two", "azureml-defaults"), home=home, settings=offline, environ=clean)
    assert lock.pins() == {"tiny-base": "2.0", "tiny-two": "0.3"}
    assert any("not added" in note and "inference-schema" in note for note in lock.notes)


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        (spec("tiny-base", conda=["python=3.11"]), "a virtual environment of Python 3.11 came with it"),
        (spec(conda=["python=3.11", "numpy=1.26"]), "conda's Python came with it"),
    ],
)
def test_setuptools_is_added_to_an_older_python_with_a_reason_that_fits(
    home, clean, offline, wheelhouse, definition, reason
):
    make_wheel(wheelhouse, "setuptools", "80.9")
    make_wheel(wheelhouse, "numpy", "1.26")
    lock, _ = resolve(definition, home=home, settings=offline, environ=clean)
    assert lock.pins()["setuptools"] == "80.9"
    (note,) = [note for note in lock.notes if "setuptools" in note]
    assert note == f"setuptools<81 is added: {reason}, and older packages import it"


def test_the_key_counts_what_decides_and_nothing_else(home, clean, offline, wheelhouse):
    def key(definition, settings=offline, **variables):
        return Resolution(definition, home=home, settings=settings, environ={**clean, **variables}).key

    base = key(spec("tiny-one", "tiny-base"))
    assert key(spec("tiny-base", "tiny-one")) == base
    assert key(spec("tiny-one")) != base
    assert key(spec("tiny-one", "tiny-base"), Settings(index_url="https://x.invalid")) != base


def test_a_user_managed_interpreter_is_taken_as_it_is_and_must_run(home, clean, tmp_path):
    import sys

    managed = spec(user_managed_dependencies=True, interpreter_path=sys.executable)
    lock, _ = resolve(managed, home=home, settings=Settings(), environ=clean)
    assert lock.method == "user-managed"
    assert lock.requirements == ""
    with pytest.raises(InterpreterNotFound, match="interpreterPath"):
        resolve(
            spec(user_managed_dependencies=True, interpreter_path=str(tmp_path / "no")),
            home=home,
            settings=Settings(),
            environ=clean,
        )


def test_a_user_managed_virtual_environment_keeps_its_own_packages(home, clean, tmp_path):
    import subprocess
    import sys

    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    lock, _ = resolve(
        spec(user_managed_dependencies=True, interpreter_path=str(python)),
        home=home,
        settings=Settings(),
        environ=clean,
    )
    assert lock.python == str(python)


def test_conda_packages_that_nothing_can_give_are_named_with_the_channels(home, clean, offline):
    definition = spec(conda=["acme-private=1"], channels=["conda-forge"])
    with pytest.raises(EnvironmentFailed) as error:
        resolve(definition, home=home, settings=offline, environ=clean)
    assert "acme-private" in error.value.message
    assert "conda-forge" in error.value.message
