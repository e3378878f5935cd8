"""Containers of services: their names and labels, how they are made, and what the engine says of them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from ...containers.engine import Engine, EngineError
from ...containers.labels import CONTENTS, HOME, REVISION, SERIAL, SERVICE, home_id
from ...containers.runs import unframed
from ...errors import Conflict, DeploymentFailed, InvalidInput, PortInUse, SendoffError, StoreError
from .. import front_control
from .records import ContainerRecord, ServiceFolder

PORT = 5001
APP_ROOT = "/var/azureml-app"
"""Application root in images (docs: settled, spec/behaviour.md sec. 9)."""
USER = 10001
"""Who runs in containers when Sendoff itself is root's; else it is the user that Sendoff runs as."""
SERVER = "sendoff_serving"
BUNDLE = "/run/sendoff-bundle"
ACCESS = "/run/sendoff-access"
"""Where what requests are checked by is in a container."""
DATA = "/run/sendoff-data"
"""Where collected data is in a container: a folder of the host, the only place beside /tmp that can be written."""
FRONT = ["/opt/sendoff/front/bin/python", "-m", SERVER]
LOG_OPTIONS = {"max-size": "10m", "max-file": "5"}
PIDS = 4096


class Container(NamedTuple):
    """A container of a service, as the engine lists it; ``address`` is empty while it has none."""

    id: str
    name: str
    serial: int
    revision: int
    state: str
    address: str

    @property
    def endpoint(self) -> str:
        """Where its front listens."""
        return f"{self.address}:{PORT}" if self.address else ""


def labels(home: Path, wanted: ContainerRecord) -> dict[str, str]:
    """What tells a container of ours from every other."""
    return {
        HOME: home_id(home),
        SERVICE: wanted.uid,
        SERIAL: str(wanted.serial),
        REVISION: str(wanted.revision),
        "sendoff.name": wanted.name,
        "sendoff.workspace": wanted.workspace,
    }


def container_name(home: Path, wanted: ContainerRecord) -> str:
    """Readable, and with a hash that no other home, service or attempt gives (spec/pains.md 12)."""
    digest = hashlib.sha256(f"{home_id(home)}/{wanted.uid}/{wanted.serial}".encode()).hexdigest()[:8]
    words = [re.sub(r"[^a-z0-9-]+", "-", word.lower()).strip("-")[:24] for word in (wanted.workspace, wanted.name)]
    return f"sendoff-{words[0]}-{words[1]}-r{wanted.revision}-{digest}"


def network_name(home: Path) -> str:
    """The home's own network."""
    return f"sendoff-{home_id(home)[:12]}"


def listed(engine: Engine, home: Path, uid: str | None = None) -> list[tuple[str, Container]]:
    """This home's containers with their services' uids, the oldest first."""
    wanted = [f"{HOME}={home_id(home)}", *([f"{SERVICE}={uid}"] if uid is not None else [])]
    answer = engine.call("GET", "/containers/json", query={"all": "1", "filters": {"label": wanted}}) or []
    found = []
    for entry in answer:
        marks = entry.get("Labels") or {}
        try:
            serial, revision = int(marks[SERIAL]), int(marks[REVISION])
        except (KeyError, ValueError):
            continue
        networks = (entry.get("NetworkSettings") or {}).get("Networks") or {}
        address = next((net.get("IPAddress") for net in networks.values() if net.get("IPAddress")), "")
        name = (entry.get("Names") or [""])[0].lstrip("/")
        found.append(
            (
                marks.get(SERVICE, ""),
                Container(entry["Id"], name, serial, revision, entry.get("State", ""), address or ""),
            )
        )
    return sorted(found, key=lambda pair: pair[1].serial)


def of_service(engine: Engine, home: Path, uid: str) -> list[Container]:
    """A service's containers, the oldest first."""
    return [container for _, container in listed(engine, home, uid)]


def ensure_network(engine: Engine, home: Path, name: str) -> None:
    """Make the home's own network, in which containers cannot reach each other; a named one has to be there.

    Raises:
        InvalidInput: The network of the settings does not exist.
        DeploymentFailed: It cannot be made.
    """
    try:
        engine.call("GET", f"/networks/{name}")
        return
    except EngineError as error:
        if error.status != 404:
            raise explain(error, name) from None
    if name != network_name(home):
        raise InvalidInput(
            f"the engine has no network {name!r}", hint=f"`docker network create {name}`, or unset docker_network."
        )
    body = {
        "Name": name,
        "CheckDuplicate": True,
        "Labels": {HOME: home_id(home)},
        "Options": {"com.docker.network.bridge.enable_icc": "false"},
    }
    with explained(name, 409):
        engine.call("POST", "/networks/create", body=body)


def remove_network(engine: Engine, home: Path) -> None:
    """Remove the home's own network if nothing is in it."""
    with suppress(EngineError):
        engine.call("DELETE", f"/networks/{network_name(home)}")


def create(engine: Engine, folder: ServiceFolder, wanted: ContainerRecord) -> None:
    """Make and start the wanted container; one that an interrupted attempt made is taken, if it is ours.

    Raises:
        SendoffError: It cannot be made or started; then there is none.
    """
    home = folder.home
    ensure_network(engine, home, wanted.network)
    place = _writable(folder.container_folder(wanted.serial))
    name = container_name(home, wanted)
    try:
        made = engine.call(
            "POST", "/containers/create", query={"name": name}, body=_body(engine, folder, wanted, place), seconds=60.0
        )
        id_ = str(made["Id"])
    except EngineError as error:
        if error.status != 409 or "name" not in error.words:
            raise explain(error, wanted.image) from None
        id_ = _adopt(engine, home, wanted, name)
    try:
        engine.call("POST", f"/containers/{id_}/start", seconds=60.0)
    except EngineError as error:
        remove(engine, id_)
        raise explain(error, wanted.image) from None


def remove(engine: Engine, id_: str) -> None:
    """Remove a container, whatever it does."""
    with explained(id_, 404, 409):
        engine.call("DELETE", f"/containers/{id_}", query={"force": "1", "v": "1"}, seconds=60.0)


def no_restart(engine: Engine, id_: str) -> None:
    """Let it end for good."""
    with suppress(EngineError):
        engine.call("POST", f"/containers/{id_}/update", body={"RestartPolicy": {"Name": "no"}})


def start(engine: Engine, id_: str) -> None:
    """Start one that somebody stopped."""
    with explained(id_):
        engine.call("POST", f"/containers/{id_}/start", seconds=60.0)


def kill(engine: Engine, id_: str) -> None:
    """End its processes at once."""
    with suppress(EngineError):
        engine.call("POST", f"/containers/{id_}/kill")


def inspect(engine: Engine, id_: str) -> dict[str, Any]:
    """All that the engine knows of it; empty when it is gone."""
    try:
        found: dict[str, Any] = engine.call("GET", f"/containers/{id_}/json")
        return found
    except EngineError:
        return {}


def out_of_memory(engine: Engine, id_: str, since: float) -> int:
    """How often the kernel ended one of its processes for want of memory, since that time (unix seconds)."""
    query = {
        "since": str(int(since)),
        "until": str(int(time.time()) + 1),
        "filters": {"container": [id_], "event": ["oom"]},
    }
    try:
        answer = engine.call("GET", "/events", query=query)
    except EngineError:
        return 0
    if isinstance(answer, dict):
        return 1
    text = answer if isinstance(answer, bytes) else b""
    return sum(1 for line in text.splitlines() if line.strip())


def log_lines(engine: Engine, id_: str, count: int, *, since: float = 0.0) -> list[str]:
    """The newest lines that its front wrote, the oldest first."""
    if count <= 0:
        return []
    query = {"stdout": "1", "stderr": "1", "tail": str(count), "since": f"{since:.6f}" if since else None}
    try:
        data = engine.call("GET", f"/containers/{id_}/logs", query=query)
    except EngineError:
        return []
    return unframed(data if isinstance(data, bytes) else b"").decode("utf-8", "replace").splitlines()


def status(folder: ServiceFolder, serial: int, *, seconds: float = 1.0) -> dict[str, Any]:
    """The ``/status`` of the front in a container.

    Raises:
        NoAnswer: It does not answer.
    """
    with _socket(folder, serial) as path:
        return front_control.status(path, seconds=seconds)


def metrics(folder: ServiceFolder, serial: int) -> str | None:
    """What the front in a container counts; None when it does not say."""
    with suppress(front_control.NoAnswer), _socket(folder, serial) as path:
        return front_control.metrics(path)
    return None


def ask_to_stop(folder: ServiceFolder, serial: int, drain_seconds: float) -> bool:
    """Tell a container's front to finish what it has and end; False when it does not hear."""
    with suppress(front_control.NoAnswer, front_control.Refused), _socket(folder, serial) as path:
        front_control.stop(path, drain_seconds=drain_seconds)
        return True
    return False


def explain(error: EngineError, what: str) -> SendoffError:
    """An engine's refusal as one sentence with a reason code of its own (context ``reported_code``)."""
    words = error.words
    lower = words.lower()
    if "no space left on device" in lower:
        return StoreError(
            f"the Docker engine's disk is full: {words}",
            hint="`docker system df` shows what takes the room; `sendoff gc` removes what Sendoff no longer needs.",
            reported_code="disk_full",
        )
    if error.status == 404 and ("no such image" in lower or "not found" in lower):
        return DeploymentFailed(
            f"the image {what} is not on the engine: {words}",
            hint="It was removed since it was built: deploy again, and it is built anew.",
            reported_code="image_missing",
        )
    if "port is already allocated" in lower or "address already in use" in lower:
        return PortInUse(f"the engine cannot have the port: {words}", hint="Give another port.", reported_code="port")
    if "all predefined address pools have been fully subnetted" in lower or "non-overlapping ipv4" in lower:
        return DeploymentFailed(
            f"the engine has no address range left for another network: {words}",
            hint="`docker network prune`, or name a network that is there in the setting docker_network.",
            reported_code="network_failed",
        )
    return DeploymentFailed(f"the Docker engine refused: {words}", reported_code="engine_refused", status=error.status)


@contextmanager
def explained(what: str, *fine: int) -> Iterator[None]:
    """Make the engine's refusals sentences about something; those of a status that is fine are passed over."""
    try:
        yield
    except EngineError as error:
        if error.status not in fine:
            raise explain(error, what) from None


@contextmanager
def _socket(folder: ServiceFolder, serial: int) -> Iterator[str]:
    """The path of a container's control socket."""
    try:
        handle = os.open(folder.container_folder(serial), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        raise front_control.NoAnswer("its folder is not there") from None
    try:
        # A socket's path holds about a hundred bytes; a home may be deeper than that.
        yield f"/proc/self/fd/{handle}/control.sock"
    finally:
        os.close(handle)


def _writable(place: Path) -> Path:
    """A folder that whoever runs in containers may write to."""
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if stranger():
            os.chown(place, stranger(), stranger())
    except OSError as error:
        raise StoreError(f"{place} cannot be written: {error.strerror}", path=str(place)) from None
    return place


def stranger() -> int:
    """Who runs in containers when it is not this user, else 0: root's containers are not root's."""
    return USER if os.getuid() == 0 else 0


def _body(engine: Engine, folder: ServiceFolder, wanted: ContainerRecord, place: Path) -> dict[str, Any]:
    home = folder.home
    user, group = (stranger(), stranger()) if stranger() else (os.getuid(), os.getgid())
    app = Path(wanted.bundle) / json.loads((Path(wanted.bundle) / "bundle.json").read_bytes()).get("app_root", "app")
    memory = None if wanted.memory_mb is None else wanted.memory_mb * 1024 * 1024
    command = [
        # The bundle is mounted as it is; the application stands where scripts of images look for it.
        *("--bundle", BUNDLE, "--app-root", APP_ROOT),
        *("--python", wanted.python, "--host", "0.0.0.0", "--port", str(PORT)),
        *("--control", "/run/sendoff/control.sock", "--revision", str(wanted.revision)),
        *("--drain-seconds", f"{wanted.drain_seconds:g}"),
        *(("--auth-file", f"{ACCESS}/{Path(wanted.auth_file).name}") if wanted.auth_file is not None else ()),
        *(("--data-dir", DATA, "--data-scope", wanted.data_scope) if wanted.data_folder is not None else ()),
    ]
    guard = None if wanted.auth_file is None else Path(wanted.auth_file).parent
    # It outlives the containers and their service.
    data = None if wanted.data_folder is None else _writable(Path(wanted.data_folder))
    return {
        "Image": wanted.image,
        "Entrypoint": _front(engine, wanted.image),
        "Cmd": command,
        "User": f"{user}:{group}",
        "WorkingDir": APP_ROOT,
        "Env": ["HOME=/tmp", "SENDOFF_GATEWAY=1", f"SERVICE_NAME={wanted.name}", f"WORKSPACE_NAME={wanted.workspace}"],
        "Labels": {**labels(home, wanted), **_now(wanted)},
        "StopTimeout": int(wanted.drain_seconds) + 2,
        "HostConfig": {
            "Memory": memory or 0,
            # Equal to the memory: no swap, which would only make an answer late.
            "MemorySwap": memory or 0,
            "NanoCpus": int((wanted.cpus or 0) * 1e9),
            "PidsLimit": PIDS,
            "RestartPolicy": {"Name": "unless-stopped"},
            "ReadonlyRootfs": True,
            "Tmpfs": {"/tmp": "rw,exec,nosuid,nodev,mode=1777"},
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "LogConfig": {"Type": "json-file", "Config": LOG_OPTIONS},
            "NetworkMode": wanted.network,
            # For a collector on this machine (docs/telemetry.md).
            "ExtraHosts": ["host.docker.internal:host-gateway"],
            "Mounts": [
                _bind(app, APP_ROOT, read_only=True),
                _bind(Path(wanted.bundle) / "bundle.json", f"{BUNDLE}/bundle.json", read_only=True),
                _bind(place, "/run/sendoff", read_only=False),
                *([_bind(guard, ACCESS, read_only=True)] if guard is not None else []),
                *([_bind(data, DATA, read_only=False)] if data is not None else []),
            ],
        },
    }


def _now(wanted: ContainerRecord) -> dict[str, str]:
    """Labels that a container has from its image, as they are for what is mounted over it."""
    models = json.loads((Path(wanted.bundle) / "bundle.json").read_bytes()).get("models") or []
    return {
        "io.sendoff.bundle": Path(wanted.bundle).name,
        "io.sendoff.models": ",".join(f"{model['name']}:{model['version']}" for model in models),
        CONTENTS: "",  # of the image, and long: `docker ps` shows labels
    }


def _bind(source: Path, target: str, *, read_only: bool) -> dict[str, Any]:
    return {"Type": "bind", "Source": str(source), "Target": target, "ReadOnly": read_only}


def _front(engine: Engine, image: str) -> list[str]:
    """How the scoring server is started in an image: as the image itself does, without its options."""
    with explained(image):
        config = engine.call("GET", f"/images/{image}/json").get("Config") or {}
    command = [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])]
    return command[: command.index(SERVER) + 1] if SERVER in command else FRONT


def _adopt(engine: Engine, home: Path, wanted: ContainerRecord, name: str) -> str:
    facts = inspect(engine, name)
    have = (facts.get("Config") or {}).get("Labels") or {}
    if any(have.get(key) != value for key, value in labels(home, wanted).items()):
        raise Conflict(
            f"a container named {name!r} is on the engine and is not Sendoff's",
            hint=f"Rename or remove it: `docker rename {name} other-name`.",
            reported_code="name_taken",
            name=name,
        )
    return str(facts["Id"])
