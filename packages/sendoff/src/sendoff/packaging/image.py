"""A bundle and its locked environment as a container image, assembled layer by layer on this machine.

From below: the base, copied interpreters where the base lacks them, the scoring server, the user's packages, the code,
the models, and one small layer that says what all of it is. The same inputs give the same digest, and what did not
change keeps its layer (docs/packages.md).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..containers.engine import Engine
from ..environments import interpreters
from ..environments.archives import for_installing
from ..environments.build import dated
from ..errors import EnvironmentFailed, InvalidInput
from ..spec.bundle import Bundle
from ..spec.environment import METHOD_CONDA, METHOD_USER_MANAGED, EnvironmentSpec, Lock
from ..spec.parse import Spec, decode, encode, replace
from . import image_python
from .assemble import APP_ROOT, MANIFEST, MODELS_FOLDER
from .base_choice import find_base
from .base_image import BaseImage
from .image_conda import check_library
from .image_contents import CONTENTS, contents
from .image_engine import Part, configuration, load
from .image_environment import ENVIRONMENT, FRONT, FRONT_LOCK, Builder, Install, must_be_inside, server_digest
from .image_layers import Entries, Entry, Layer, digest, tree, unread
from .image_python import ImagePython
from .image_request import ImageRequest
from .image_store import LayerStore
from .sbom import sbom

ROOT = "var/azureml-app"
"""The application root in an image (spec/behaviour.md sec. 9)."""
PORT = 5001
USER = "10001:10001"
FRONT_PYTHON = f"/{FRONT}/bin/python"
WORKER_PYTHON = f"/{ENVIRONMENT}/bin/python"
SBOM = "opt/sendoff/sbom.cdx.json"
HEALTH = f"{FRONT}/health.py"
OLDEST_FRONT = (3, 11)
_LARGE = 32_000_000
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Image(Spec):
    """An image in the engine. ``python`` is the worker's interpreter in it, ``layers`` are ours, from below."""

    id: str
    tags: list[str]
    size: int
    python: str
    layers: list[Layer]
    labels: dict[str, str]
    sent: list[str] = []
    """Names of the layers that the engine did not have."""
    notes: list[str] = []

    @property
    def digest(self) -> str:
        """The digest of its configuration, which names every layer: equal for equal inputs. It is the engine's id."""
        return self.id


def build(request: ImageRequest, engine: Engine, *, tags: Sequence[str] = ()) -> Image:
    """Make the image of a bundle in the engine, or find it made.

    It runs the scoring server on port 5001 for all addresses, as a user without rights, from ``/var/azureml-app``.

    Args:
        request: What it is made of.
        engine: Where the image goes (``sendoff.containers.engine.connect``).
        tags: Names for it.

    Raises:
        InvalidInput: The base image does not exist, or the bundle's files want a place of ours.
        EnvironmentFailed: Packages cannot be fetched or built, or no Python fits.
        TargetUnavailable: The engine does not answer.
    """
    return place(request, prepare(request, engine), engine, tags)


@dataclass(frozen=True, kw_only=True)
class Ready:
    """An image that is made and is nowhere yet: its base, our layers, how it runs."""

    base: BaseImage
    parts: list[Part]
    settings: dict[str, Any]
    python: str
    notes: list[str]

    @property
    def config(self) -> bytes:
        """Its configuration; large layers that nobody has read yet are read for it."""
        for part in self.parts:
            part.measure()
        return configuration(self.base, self.parts, self.settings)


def place(request: ImageRequest, ready: Ready, engine: Engine, tags: Sequence[str]) -> Image:
    """Put an image that is made into the engine, or find it there.

    Raises:
        TargetUnavailable: The engine does not answer.
    """
    memory, progress = request.store.home / "images" / "loaded.json", request.supply.progress
    made = load(engine, ready.base, ready.parts, ready.settings, tags=tags, memory=memory, progress=progress)
    return Image(
        id=made.id,
        tags=list(tags),
        size=made.size,
        python=ready.python,
        layers=[part.layer for part in ready.parts],
        labels=made.labels,
        sent=made.sent,
        notes=ready.notes,
    )


def prepare(request: ImageRequest, engine: Engine) -> Ready:
    """Make all layers of a bundle's image; errors as those of :func:`build`."""
    base, notes = find_base(request, engine)
    return prepare_upon(request, base, notes, engine=engine)


def prepare_upon(
    request: ImageRequest, base: BaseImage, notes: Sequence[str], *, engine: Engine | None = None
) -> Ready:
    """Make all layers of a bundle's image upon a base that was looked into.

    Args:
        request: What it is made of.
        base: What it is built upon.
        notes: On the base.
        engine: One that has it, for what has to be installed in a container of it (:meth:`ImagePlan.inside`).

    Raises:
        ImageNeedsEngine: Something has to be, and there is none.
        EnvironmentFailed: Packages cannot be fetched or built, or no Python fits.
    """
    plan = ImagePlan(request, base)
    builder = Builder(base, request.supply, client=engine, cache=request.store.home / "cache")
    parts = plan.parts(builder, request.models)
    settings = plan.settings({**request.labels, CONTENTS: contents(base, parts)})
    return Ready(base=base, parts=parts, settings=settings, python=plan.worker_path, notes=[*notes, *plan.notes])


class ImagePlan:
    """What goes into the image of a bundle, and where.

    Args:
        request: What it is made of.
        base: The base image.

    Raises:
        InvalidInput: The bundle is none, or the interpreter that the user manages is not in the base.
        EnvironmentFailed: No Python fits, or conda packages want a newer C library than the base has.
    """

    def __init__(self, request: ImageRequest, base: BaseImage) -> None:
        store, lock = request.store, request.lock
        self._home, self._base, self._folder = store.home, base, request.bundle
        self._lock = None if lock is None or lock.method == METHOD_USER_MANAGED else lock
        if self._lock is not None:
            check_library(base, self._lock.conda_records)
        self._spec = request.spec
        self.notes: list[str] = []
        self._local = [
            (one.path, one.version) for one in interpreters.discover(store.settings, os.environ) if not one.problem
        ]
        self.front = self._front_python()

    @cached_property
    def bundle(self) -> Bundle:
        """The bundle's manifest; it need not be there before it is asked for."""
        manifest = self._folder / MANIFEST
        return decode(manifest.read_bytes(), Bundle, where=str(manifest))

    @cached_property
    def worker(self) -> ImagePython:
        """The worker's Python."""
        return self._worker_python(self._spec)

    def inside(self) -> str:
        """What has to be installed in a container of the base, and why; empty where all is made on this machine."""
        lock = self._lock
        if why := must_be_inside(self._front(), self._base):
            return f"the scoring server has to be installed inside it, since {why}"
        if lock is not None and (why := must_be_inside(self.environment(lock), self._base)):
            return f"the environment's packages have to be installed inside it, since {why}"
        return ""

    @property
    def worker_path(self) -> str:
        """The worker's interpreter in the image."""
        return WORKER_PYTHON if self._lock is not None else self.worker.path

    def parts(self, builder: Builder, models: str) -> list[Part]:
        """Our layers, from below."""
        found: list[Part] = []
        kept = LayerStore(self._home)
        base, worker = self._base, self.worker
        if self.front.copied:
            found.append(self._interpreter(kept, self.front))
        front = self._front()
        layer = kept.kept(
            "server",
            [front.requirements, server_digest(), self.front.path, self.front.version, base.glibc],
            lambda staging: {
                **builder.entries(front, staging),
                HEALTH: Entry(data=Path(__file__).with_name("health.py").read_bytes()),
            },
        )
        found.append(Part(layer=layer, made_by=f"sendoff-serving with {', '.join(front_pins())}"))
        if worker.copied and worker.minor != self.front.minor:
            found.append(self._interpreter(kept, worker))
        if self._lock is not None:
            packages = self.environment(self._lock)
            layer = kept.kept(
                "packages",
                [self._lock.digest, worker.path, worker.version, base.glibc],
                lambda staging: builder.entries(packages, staging),
            )
            found.append(Part(layer=layer, made_by=f"packages of the lock {self._lock.digest}"))
        found.append(Part.of("code", self._code(), f"code of {self.bundle.service.name}"))
        if models == "baked" and self.bundle.models:
            found.append(self._models(kept))
        found.append(Part.of("manifest", self.manifest(), "bundle.json, software bill of materials"))
        return found

    def _front(self) -> Install:
        return Install(
            at=FRONT,
            python=self.front,
            local=next((path for path, version in self._local if version.startswith(f"{self.front.minor}.")), None),
            requirements=FRONT_LOCK.read_text(encoding="utf-8"),
            server=True,
        )

    def environment(self, lock: Lock) -> Install:
        """The user's packages, to be installed."""
        return Install(
            at=ENVIRONMENT,
            python=self.worker,
            local=lock.python or None,
            requirements=for_installing(lock.requirements, self._home),
            conda=lock.conda_records,
            dated=dated(lock),
        )

    def variables(self, path: str) -> dict[str, str]:
        """Variables of the image, upon the base's own.

        Args:
            path: The base's ``PATH``.
        """
        found = {
            "PATH": f"/{ENVIRONMENT}/bin:{path}" if self._lock is not None else path,
            "AML_APP_ROOT": f"/{ROOT}",
            "HOME": "/tmp",
            "USER": "sendoff",
        }
        if self.bundle.model_dir is not None:
            found["AZUREML_MODEL_DIR"] = f"/{ROOT}/{self.bundle.model_dir}"
        return found

    def copied(self) -> list[ImagePython]:
        """Interpreters that are copied in, since the base lacks them; the front's first."""
        return list({one.minor: one for one in (self.front, self.worker) if one.copied}.values())

    def _interpreter(self, kept: LayerStore, python: ImagePython) -> Part:
        base = self._base
        self.notes.append(
            f"{base.reference} has no Python {python.minor}: this machine's {python.version} is copied in"
        )
        layer = kept.kept(
            "interpreter",
            [python.copied, python.version, base.id],
            lambda staging: image_python.entries(python, base, staging / "python"),
        )
        return Part(layer=layer, made_by=f"Python {python.version} of the build machine")

    def settings(self, labels: Mapping[str, str]) -> dict[str, Any]:
        """The part of the configuration that says how the image runs."""
        bundle = self.bundle
        inherited = dict(line.partition("=")[::2] for line in self._base.config.get("Env") or [])
        variables = {**inherited, **self.variables(inherited.get("PATH", _PATH))}
        known = {
            "org.opencontainers.image.title": bundle.service.name,
            "org.opencontainers.image.version": bundle.service.version,
            "org.opencontainers.image.base.name": self._base.reference,
            "org.opencontainers.image.base.digest": next(
                (one.partition("@")[2] for one in self._base.digests), self._base.id
            ),
            "io.sendoff.bundle": self._folder.name,
            "io.sendoff.environment": f"{bundle.environment.name}:{bundle.environment.version or ''}".rstrip(":"),
            "io.sendoff.lock": bundle.environment.lock_digest,
            "io.sendoff.models": ",".join(f"{model.name}:{model.version}" for model in bundle.models),
            "io.sendoff.python": self.worker.version,
            "io.sendoff.source": digest(self._code())[0],
        }
        return {
            "Entrypoint": [
                FRONT_PYTHON, "-m", "sendoff_serving", "--bundle", f"/{ROOT}", "--python", self.worker_path,
                "--host", "0.0.0.0", "--port", str(PORT),
            ],
            "Env": [f"{name}={value}" for name, value in variables.items()],
            "ExposedPorts": {f"{PORT}/tcp": {}},
            "Healthcheck": {
                "Test": ["CMD", FRONT_PYTHON, "-I", "-S", f"/{HEALTH}"],
                "Interval": 10_000_000_000,
                "Timeout": 5_000_000_000,
                "StartPeriod": 60_000_000_000,
                "Retries": 3,
            },
            "Labels": {**known, **labels},
            "StopSignal": "SIGTERM",
            "User": USER,
            "WorkingDir": f"/{ROOT}",
        }  # fmt: skip

    def _front_python(self) -> ImagePython:
        there = [tuple(int(part) for part in version.split(".")[:2]) for _, version in self._base.pythons]
        newest = max((minor for minor in there if minor >= OLDEST_FRONT), default=None)
        if newest is not None:
            minor = ".".join(str(part) for part in newest)
            return image_python.choose(self._base, minor, None, "")
        local = [(path, version) for path, version in self._local if _minor(version) >= OLDEST_FRONT]
        if not local:
            raise EnvironmentFailed(
                f"the base image {self._base.reference} has no Python 3.11 or newer for the scoring server",
                hint="Choose another base image (docker.baseImage, or the setting base_image).",
            )
        path, version = local[-1]
        return image_python.choose(self._base, ".".join(version.split(".")[:2]), path, version)

    def _worker_python(self, spec: EnvironmentSpec) -> ImagePython:
        if self._lock is not None and self._lock.method == METHOD_CONDA:
            return ImagePython(path=WORKER_PYTHON, version=self._lock.python_version)
        if self._lock is not None:
            version = self._lock.python_version
            minor = ".".join(version.split(".")[:2])
            found = image_python.choose(self._base, minor, self._lock.python, version)
            if not found.copied and found.version != version:
                self.notes.append(f"the image has Python {found.version}, the lock was made with {version}")
            return found
        wanted = spec.python.interpreter_path
        if wanted.startswith("/"):
            version = next((v for p, v in self._base.pythons if p == wanted), "unknown")
            return ImagePython(path=wanted, version=version)
        named = self._base.named.get(wanted) or self._base.named.get("python3" if wanted == "python" else wanted)
        if named is None:
            raise InvalidInput(
                f"the base image {self._base.reference} has no {wanted!r} on its PATH",
                hint="Write python.interpreterPath as a path in the image.",
                field="interpreter_path",
            )
        return ImagePython(path=named, version=next((v for p, v in self._base.pythons if p == named), "unknown"))

    def _code(self) -> Entries:
        files = tree(self._folder / APP_ROOT, ROOT, skip=(MODELS_FOLDER,))
        if f"{ROOT}/{MANIFEST}" in files:
            raise InvalidInput(f"the source file {MANIFEST!r} wants the place of our own", hint="Rename it.")
        return {**files, f"{ROOT}/{MODELS_FOLDER}": Entry()}

    def _models(self, kept: LayerStore) -> Part:
        files = tree(self._folder / APP_ROOT / MODELS_FOLDER, f"{ROOT}/{MODELS_FOLDER}")
        # Blobs never change: the same file on disk has the same bytes, and half a gigabyte is not read again.
        facts = [(name, _identity(entry)) for name, entry in sorted(files.items())]
        made_by = f"models {', '.join(f'{model.name}:{model.version}' for model in self.bundle.models)}"
        layer = kept.fact("models", facts)
        if layer is not None:
            return Part(layer=layer, made_by=made_by, entries=files)
        part = Part(
            layer=unread("models", files), made_by=made_by, entries=files, learnt=lambda one: kept.remember(facts, one)
        )
        if part.layer.size < _LARGE:  # Larger ones are read once, while they travel.
            part.measure()
        return part

    def manifest(self) -> Entries:
        """What says what all of it is: the bundle's own manifest, and the software bill of materials."""
        bundle = replace(self.bundle, app_root=".")
        content = sbom(self._base, self.bundle, self._lock, front_pins(), self.worker.version)
        return {f"{ROOT}/{MANIFEST}": Entry(data=encode(bundle)), SBOM: Entry(data=content)}


def front_pins() -> dict[str, str]:
    """The scoring server's packages with their versions."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s\\]+)", FRONT_LOCK.read_text(encoding="utf-8"), re.MULTILINE))


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def _identity(entry: Entry) -> list[int]:
    if entry.source is None:
        return []
    facts = Path(entry.source).stat()
    return [facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns]
