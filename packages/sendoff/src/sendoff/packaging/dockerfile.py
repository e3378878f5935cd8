"""The folder that ``docker build`` makes a bundle's image from: Dockerfile, wheels, locks, code, models, uv."""

from __future__ import annotations

import json
import os
import shutil
import stat
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from ..containers import images
from ..containers.engine import answers, connect
from ..containers.registries import split_reference
from ..environments import interpreters, uv
from ..environments.indexes import Supply
from ..errors import EnvironmentFailed
from ..spec.environment import METHOD_CONDA, EnvironmentSpec, Lock
from ..spec.parse import replace
from . import base_image, image_python
from .assemble import APP_ROOT, MODELS_FOLDER
from .base_choice import base_reference
from .base_image import BaseImage
from .image import FRONT_PYTHON, HEALTH, PORT, ROOT, SBOM, USER, ImagePlan
from .image_environment import ENVIRONMENT, FRONT, FRONT_LOCK, Builder, Install, make_environment, server_folder
from .image_layers import MTIME, Entry
from .image_python import ImagePython
from .image_request import ImageRequest
from .wheels import wheels

_SERVER_PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def write_folder(request: ImageRequest, folder: Path) -> list[str]:
    """Write it whole, or not at all. No network and no engine is needed to build from it but for the base image.

    Args:
        request: What the image is made of.
        folder: Where it will be; what is there makes way.

    Returns:
        Notes.

    Raises:
        EnvironmentFailed: A package cannot be fetched or built.
    """
    store, bundle, lock, spec, supply = request.store, request.bundle, request.lock, request.spec, request.supply
    reference, notes = base_reference(spec, store.settings)
    if spec.docker.base_image_registry.get("username"):
        notes = [*notes, f"the base image is in a private registry: docker login {split_reference(reference)[0]}"]
    base = _known_base(request, reference)
    plan = ImagePlan(request, base or _unknown_base(reference, lock, spec))
    staged = store.home / "staging" / f"context-{uuid.uuid4().hex}"
    staged.mkdir(parents=True)
    try:
        _copy_own(staged)
        shutil.copytree(bundle / APP_ROOT, staged / "app", ignore=_models_of(bundle), copy_function=_copy)
        models = bundle / APP_ROOT / MODELS_FOLDER
        if models.is_dir():
            shutil.copytree(models, staged / "models", copy_function=_copy)
        else:
            (staged / "models").mkdir()
        for path, entry in plan.manifest().items():
            (staged / Path(path).name).write_bytes(entry.data or b"")
        copied = plan.copied()
        for python in copied if base is not None else []:
            notes.append(f"{reference} has no Python {python.minor}: this machine's {python.version} goes along")
            assert base is not None
            _lay(image_python.entries(python, base, staged / ".python"), staged / "interpreter")
            shutil.rmtree(staged / ".python")
        if lock is not None and lock.method == METHOD_CONDA:
            _collect_conda(request, plan.environment(lock), staged, base)
            (staged / "conda-explicit.txt").write_text("\n".join(["@EXPLICIT", *lock.conda_packages, ""]), "utf-8")
        elif lock is not None:
            supply.progress("collecting the wheels of the environment")
            _collect(plan.environment(lock), staged, "environment", supply)
        if lock is not None:
            (staged / "sendoff.lock").write_text(lock.requirements, encoding="utf-8")
        _collect_server(request, plan, staged, base)
        (staged / "Dockerfile").write_text(_dockerfile(plan, reference, spec, lock, base is not None), encoding="utf-8")
        _readable(staged)
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if folder.exists():
            shutil.rmtree(folder)
        staged.rename(folder)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return notes


def _known_base(request: ImageRequest, reference: str) -> BaseImage | None:
    """The base image as an engine here knows it; None without an engine, or where steps make another one of it."""
    docker, environ = request.spec.docker, request.supply.environ
    if docker.base_dockerfile is not None or docker.extra_steps is not None or not answers(environ):
        return None
    source = request.source(connect(environ))
    if images.find(source.engine, reference) is None:
        return None
    return base_image.inspect(source, reference, home=request.store.home)


def _unknown_base(reference: str, lock: Lock | None, spec: EnvironmentSpec) -> BaseImage:
    """A base image that nobody has looked into: it is taken to have the Pythons, and uv looks for them in the build."""
    pythons = [("/usr/local/bin/python3.11", "3.11.0")]
    if lock is not None:
        minor = ".".join(lock.python_version.split(".")[:2])
        pythons = [*([] if minor == "3.11" else pythons), (f"/usr/local/bin/python{minor}", lock.python_version)]
    wanted = spec.python.interpreter_path
    return BaseImage(
        reference=reference,
        id="",
        config={},
        diff_ids=[],
        architecture="",
        os="linux",
        pythons=pythons,
        named={wanted: wanted},
    )


def _models_of(bundle: Path) -> Callable[[str, list[str]], set[str]]:
    root = str(bundle / APP_ROOT)
    return lambda folder, names: {MODELS_FOLDER} & set(names) if folder == root else set()


def _copy(source: str, target: str) -> str:
    """A plain copy that its owner may change, unlike the store's own files."""
    shutil.copyfile(source, target)
    Path(target).chmod(0o755 if Path(source).stat().st_mode & stat.S_IXUSR else 0o644)
    return target


def _copy_own(staged: Path) -> None:
    here = Path(__file__).parent
    (staged / "build").mkdir()
    for name in ("compile_files.py", "finish_environment.py", "health.py"):
        shutil.copyfile(here / name, staged / "build" / name)
    _copy(uv.binary(), str(staged / "build" / "uv"))
    (staged / "build" / "uv").chmod(0o755)
    shutil.copytree(
        server_folder(), staged / "server" / "sendoff_serving", ignore=shutil.ignore_patterns("__pycache__")
    )


def _lay(entries: Mapping[str, Entry], folder: Path) -> None:
    for path, entry in sorted(entries.items()):
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if entry.folder:
            place.mkdir(exist_ok=True)
        elif entry.link is not None:
            place.symlink_to(entry.link)
        else:
            if entry.source is not None:
                shutil.copyfile(entry.source, place)
            else:
                place.write_bytes(entry.data or b"")
            place.chmod(0o755 if entry.executable else 0o644)
            # Python 3.6 looks at a source's time before it takes what was compiled of it.
            os.utime(place, (MTIME, MTIME))


def _readable(folder: Path) -> None:
    """Whoever runs in the image reads these files, whatever this user's umask is."""
    for place in [folder, *folder.rglob("*")]:
        if not place.is_symlink():
            place.chmod(0o755 if place.is_dir() or place.stat().st_mode & stat.S_IXUSR else 0o644)


def _collect(install: Install, staged: Path, name: str, supply: Supply) -> None:
    work = staged / ".work"
    work.mkdir()
    make_environment(install, work / "environment", supply)
    lines = wheels(work / "environment", staged / "wheels" / name)
    listed = staged / "wheels" / f"{name}.lock"
    before = listed.read_text(encoding="utf-8").splitlines() if listed.exists() else []
    merged: dict[str, set[str]] = {}
    for line in [*before, *lines]:
        head, *hashes = line.split(" ")
        merged.setdefault(head, set()).update(hashes)
    text = "".join(f"{' '.join([head, *sorted(hashes)])}\n" for head, hashes in sorted(merged.items()))
    listed.write_text(text, encoding="utf-8")
    shutil.rmtree(work)


def _collect_conda(request: ImageRequest, install: Install, staged: Path, base: BaseImage | None) -> None:
    """The whole prefix, bound to its place in the image: there is no conda in the build that could make it."""
    work = staged / ".work"
    # A base that nobody has looked into is taken to have this machine's C library, as with wheels.
    known = base or replace(_unknown_base("", None, EnvironmentSpec(name="any")), glibc=image_python.host_glibc())
    client = connect(request.supply.environ) if base is not None else None
    entries = Builder(known, request.supply, client=client, cache=request.store.home / "cache").entries(install, work)
    root = f"{install.at}/"
    below = {path.removeprefix(root): entry for path, entry in entries.items() if path.startswith(root)}
    _lay(below, staged / "conda")
    shutil.rmtree(work)


def _collect_server(request: ImageRequest, plan: ImagePlan, staged: Path, base: BaseImage | None) -> None:
    """Wheels of the server for the base's Python; for each that it may have where nobody knows."""
    wanted = (plan.front.minor,) if base is not None else _SERVER_PYTHONS
    store, supply = request.store, request.supply
    found = [one for one in interpreters.discover(store.settings, supply.environ) if not one.problem]
    requirements = FRONT_LOCK.read_text(encoding="utf-8")
    some = False
    for minor in wanted:
        local = next((one for one in found if one.version.startswith(f"{minor}.")), None)
        if local is None:
            continue
        supply.progress(f"collecting the wheels of the server for Python {minor}")
        python = ImagePython(path=local.path, version=local.version)
        install = Install(at=FRONT, python=python, local=local.path, requirements=requirements)
        _collect(install, staged, "front", supply)
        some = True
    if not some:
        raise EnvironmentFailed(f"no Python {' or '.join(wanted)} is on this machine to collect wheels with")


def _dockerfile(plan: ImagePlan, reference: str, spec: EnvironmentSpec, lock: Lock | None, known: bool) -> str:
    settings = plan.settings({})
    front = plan.front.path if known else "'>=3.11'"
    worker = plan.worker.path if known else plan.worker.minor
    first = spec.docker.base_dockerfile
    lines = ["# Made by `sendoff model package`. Build it with: docker build -t NAME .", ""]
    if first is not None:
        lines += [*first.rstrip().splitlines()]
    else:
        lines += [f"FROM {reference} AS sendoff-base"]
    if spec.docker.extra_steps is not None:
        lines += spec.docker.extra_steps.rstrip().splitlines()
    lines += [""]
    start = "sendoff-base"
    if first is not None:
        # The last stage of the user's own Dockerfile is what we build upon.
        lines = _named_last(lines)
    if known and plan.copied():
        lines += [f"FROM {start} AS sendoff-python", "COPY interpreter/ /", ""]
        start = "sendoff-python"
    install = "--no-config --offline pip install --quiet --no-index --require-hashes --no-deps"
    lines += [
        f"FROM {start} AS sendoff-build",
        "USER 0",
        "ENV UV_PYTHON_INSTALL_DIR=/opt/sendoff/python UV_CACHE_DIR=/sendoff/cache UV_LINK_MODE=copy",
        "COPY build/ /sendoff/build/",
        "COPY wheels/ /sendoff/wheels/",
    ]
    lines += _environment(FRONT, front, "front", install, server=True)
    wheels_alone = lock is not None and lock.method != METHOD_CONDA
    if wheels_alone:
        lines += _environment(ENVIRONMENT, worker, "environment", install, server=False)
    environment = [f"COPY --from=sendoff-build /{ENVIRONMENT} /{ENVIRONMENT}"] if wheels_alone else []
    if lock is not None and not wheels_alone:
        environment = [f"COPY conda/ /{ENVIRONMENT}/"]
    lines += [
        "",
        f"FROM {start}",
        "USER 0",
        f"COPY --from=sendoff-build /{FRONT} /{FRONT}",
        *environment,
        f"COPY app/ /{ROOT}/",
        f"COPY models/ /{ROOT}/{MODELS_FOLDER}/",
        f"COPY bundle.json /{ROOT}/bundle.json",
        f"COPY {Path(SBOM).name} /{SBOM}",
        *[f"ENV {name}={_quoted(value)}" for name, value in plan.variables("$PATH").items()],
        *[f"LABEL {name}={_quoted(value)}" for name, value in sorted(settings["Labels"].items())],
        f"EXPOSE {PORT}",
        f"USER {USER}",
        f"WORKDIR /{ROOT}",
        "STOPSIGNAL SIGTERM",
        f"HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD "
        f"{json.dumps([FRONT_PYTHON, '-I', '-S', f'/{HEALTH}'])}",
        f"ENTRYPOINT {json.dumps(settings['Entrypoint'])}",
        "CMD []",
        "",
    ]
    return "\n".join(lines)


def _environment(at: str, python: str, name: str, install: str, *, server: bool) -> list[str]:
    venv = f"venv --quiet --no-project --relocatable --python {python} /{at}"
    steps = [
        f"/sendoff/build/uv --no-config {venv}",
        f"/sendoff/build/uv {install} --find-links /sendoff/wheels/{name} "
        f"--requirements /sendoff/wheels/{name}.lock --python /{at}/bin/python",
    ]
    run = [f"RUN {steps[0]} \\", f" && {steps[1]}"]
    if server:
        run += [
            "COPY server/ /sendoff/server/",
            f"RUN cp -r /sendoff/server/sendoff_serving /{at}/lib/python3*/site-packages/ \\",
            f" && cp /sendoff/build/health.py /{HEALTH}",
        ]
    # health.py is run with -S and as a script: it is not compiled in an assembled image either.
    run += [
        f"RUN P=$(readlink -f /{at}/bin/python) \\",
        f" && $P -s -S /sendoff/build/compile_files.py /{at}/lib /{at}/lib {MTIME} \\",
        f" && $P -s -S /sendoff/build/finish_environment.py /{at} $P",
    ]
    return run


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _named_last(lines: list[str]) -> list[str]:
    """The user's Dockerfile with its last stage called ``sendoff-base``."""
    froms = [number for number, line in enumerate(lines) if line.strip().upper().startswith("FROM ")]
    named = list(lines)
    words = named[froms[-1]].split()
    if "AS" in (word.upper() for word in words):
        return [*named, f"FROM {words[-1]} AS sendoff-base", ""]
    named[froms[-1]] += " AS sendoff-base"
    return named
