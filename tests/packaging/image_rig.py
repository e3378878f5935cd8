"""A home with a model, code and an environment, from which images are made; and looking into images."""

import contextlib
import fcntl
import hashlib
import json
import os
import subprocess
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import environment_cache

from sendoff.containers.engine import connect
from sendoff.environments.indexes import Indexes, Supply, effective
from sendoff.packaging import image
from sendoff.packaging.assemble import assemble
from sendoff.packaging.image import Image
from sendoff.packaging.image_request import ImageRequest
from sendoff.progress import Progress, silent
from sendoff.registry import Registry
from sendoff.spec.bundle import BundleEnvironment, BundleService, ServingSettings
from sendoff.spec.environment import DockerSpec, EnvironmentSpec, Lock, PythonSpec
from sendoff.spec.inference import SourceSpec
from sendoff.spec.model import ManifestFile, RegisterModel
from sendoff.spec.parse import replace
from sendoff.spec.workspace import CreateWorkspace
from sendoff.store import open_store

CONDA_311 = "dependencies:\n  - python=3.11\n  - pip:\n      - idna==3.10\n"
CONDA_36 = "dependencies:\n  - python=3.6\n  - pip:\n      - idna==3.10\n"
SCORE = """
import os, sys, idna
def init():
    global model
    model = open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "m.txt")).read()
def run(data):
    return {"model": model, "python": "%d.%d" % sys.version_info[:2], "uid": os.getuid(), "cwd": os.getcwd(),
            "root": os.environ["AML_APP_ROOT"], "added": ADDED}
ADDED = 0
"""


class Rig:
    """Bundles and images of one home."""

    def __init__(self, home: Path, base: str, *, share_layers: bool = True, environ: dict[str, str] | None = None):
        if share_layers:
            shared = environment_cache.cache() / "images"
            shared.mkdir(exist_ok=True)
            home.mkdir(parents=True)
            (home / "images").symlink_to(shared, target_is_directory=True)
        self.environ = {**os.environ, "SENDOFF_BASE_IMAGE": base, **(environ or {})}
        self.store = open_store(home, environ=self.environ)
        self.registry = Registry(self.store)
        self.registry.create_workspace(CreateWorkspace(name="ws", exist_ok=True))

    def file(self, path: str, content: bytes) -> ManifestFile:
        digest, size = self.store.blobs.put_bytes(content)
        return ManifestFile(path=path, digest=digest, size=size)

    def bundle(self, lock: Lock | None, code: str = SCORE, model: bytes = b"a model") -> Path:
        known = self.registry.list("ws", name="m", latest=True)
        digest, _ = self.store.blobs.put_bytes(model)
        if not known or self.registry.get("ws", known[0].id).files[0].digest != digest:
            self.registry.register("ws", RegisterModel(name="m", files=[self.file("m.txt", model)]))
        source = SourceSpec(
            entry_script="src/score.py", source_directory="src", files=[self.file("src/score.py", code.encode())]
        )
        digest = lock.digest if lock is not None else ""
        return assemble(
            self.store,
            service=BundleService(name="svc"),
            models=[self.registry.get("ws", "m")],
            source=source,
            environment=BundleEnvironment(name="e", version="1", lock_digest=digest, variables={"GREETING": "hello"}),
            serving=ServingSettings(),
        )

    def build(self, engine, bundle: Path, lock: Lock | None, *, docker: DockerSpec | None = None, **options) -> Image:
        """An image in the engine; ``engine`` is another client of it, and ours makes the image."""
        python = PythonSpec() if lock is not None else options.pop("python")
        spec = EnvironmentSpec(name="e", docker=docker or DockerSpec(), python=python)
        return image.build(self.request(bundle, lock, spec, **options), connect())

    def request(
        self, bundle: Path, lock: Lock | None, spec: EnvironmentSpec, indexes: Indexes | None = None,
        environ: dict[str, str] | None = None, progress: Progress = silent, **options,
    ) -> ImageRequest:  # fmt: skip
        """What an image is made of, with packages from where the settings of this home say."""
        if indexes is None:
            indexes, _ = effective(self.environ, self.store.settings, lock.pip_options if lock else [])
        supply = Supply(indexes, self.environ if environ is None else environ, progress)
        return ImageRequest(store=self.store, bundle=bundle, lock=lock, spec=spec, supply=supply, **options)


def locked(conda: str) -> Lock:
    """A lock, resolved once for all tests."""
    lock = environment_cache.locked(conda)
    return replace(lock, python=environment_cache.interpreter(".".join(lock.python_version.split(".")[:2])))


def network(engine) -> str:
    """A network of these tests' own: another engine on this machine may take the default one's bridge away."""
    name = "sendoff-image-tests"
    with (environment_cache.cache() / "network.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not engine.networks.list(names=[name]):
            engine.networks.create(name)
    return name


@contextlib.contextmanager
def running(engine, image_id: str, **options) -> Iterator[str]:
    """The address of a container's port 5001, once it listens."""
    options.setdefault("read_only", True)
    options.setdefault("network", network(engine))
    container = engine.containers.run(image_id, detach=True, ports={"5001/tcp": ("127.0.0.1", None)}, **options)
    try:
        end = time.monotonic() + 60
        while b"Listening on" not in (said := container.logs()):
            container.reload()
            assert container.status in ("created", "running"), said.decode()
            assert time.monotonic() < end, said.decode()
            time.sleep(0.1)
        container.reload()
        port = container.attrs["NetworkSettings"]["Ports"]["5001/tcp"][0]["HostPort"]
        yield f"http://127.0.0.1:{port}"
    finally:
        container.remove(force=True, v=True)


def ask(address: str, body: object = None) -> object:
    """What /score answers."""
    request = urllib.request.Request(f"{address}/score", data=json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def files(engine, image_id: str) -> dict[str, str]:
    """Every name in an image's file system, with its type and its content's digest or its link."""
    container = engine.containers.create(image_id)
    try:
        found = {}
        with tempfile.TemporaryFile() as archive:
            for chunk in container.export(chunk_size=1 << 20):
                archive.write(chunk)
            archive.seek(0)
            with tarfile.open(fileobj=archive) as tar:
                for member in tar:
                    file = tar.extractfile(member) if member.isreg() else None
                    mark = hashlib.sha256(file.read()).hexdigest() if file else member.linkname
                    found[member.name.rstrip("/")] = f"{member.type!r} {mark}"
        return found
    finally:
        container.remove(force=True)


def saved(engine, image_id: str) -> bytes:
    """All of an image's layers and its configuration, as one text to search."""
    return b"".join(engine.api.get_image(image_id))


def docker_build(folder: Path, tag: str) -> None:
    """``docker build`` with no network."""
    command = ["docker", "build", "--quiet", "--network", "none", "--tag", tag, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def server_packages() -> list[str]:
    """``name==version`` of the scoring server's packages in images."""
    from sendoff.packaging.image import front_pins

    return [f"{name}=={version}" for name, version in front_pins().items()]
