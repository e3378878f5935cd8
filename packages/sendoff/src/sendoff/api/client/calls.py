"""One typed method for each route (docs/http-api.md)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from ...errors import SendoffError, Unreachable, from_payload
from ...spec.environment import Environment, EnvironmentSpec
from ...spec.identity import AccessToken, IssueToken, RegenerateKey, ServiceKeys
from ...spec.inference import InferenceSpec
from ...spec.model import Model, RegisterModel, UpdateModel
from ...spec.operation import Operation
from ...spec.package import CreatePackage, ImageReport, Package
from ...spec.parse import decode, encode
from ...spec.service import CheckReport, DeployService, Revision, Service, UpdateService
from ...spec.workspace import CreateWorkspace, Workspace
from .. import bodies
from ..messages import JSON, PREFIX, Request, Response
from .transport import Transport

T = TypeVar("T")
Pairs = Mapping[str, str | None] | Sequence[str | Sequence[str]] | None
"""A filter on tags or properties: ``{"k": "v", "k2": None}``, or SDK v1's ``["k", ["k", "v"]]``; all must match."""

_SECONDS = 120.0
_LONG_SECONDS = 3600.0


class Client:
    """The whole API as methods. Every method may raise the error class that the other side raised, or `Unreachable`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def embedded(self) -> bool:
        """True when the API runs in this process."""
        return self._transport.embedded

    @property
    def where(self) -> str:
        """The embedded store's folder, or the server's address."""
        return self._transport.where

    def close(self) -> None:
        """Close connections, or the embedded store. The client stays usable."""
        self._transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({'embedded in' if self.embedded else 'of'} {self.where})"

    # Facts

    def health(self) -> bodies.Health:
        """That the API answers, its version and mode."""
        return self._get(bodies.Health, "/health")

    def doctor(self) -> dict[str, Any]:
        """What the API's machine can do: interpreters, Docker, disk, uv, the store."""
        return self._get(bodies.Facts, "/doctor").facts

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document."""
        return self._get(dict[str, Any], "/openapi.json")

    # Blobs

    def missing_blobs(self, digests: Sequence[str]) -> bodies.MissingBlobs:
        """Which of ``sha256:<hex>`` the store lacks, and where to write them."""
        return self._send(bodies.MissingBlobs, "POST", "/blobs/missing", bodies.Digests(digests=list(digests)))

    def known_sizes(self, sizes: Sequence[int]) -> bodies.KnownSizes:
        """Those sizes, in bytes, that some stored blob has."""
        return self._send(bodies.KnownSizes, "POST", "/blobs/known-sizes", bodies.Sizes(sizes=list(sizes)))

    # Workspaces

    def create_workspace(self, body: CreateWorkspace) -> Workspace:
        """Make a workspace. Raises `AlreadyExists` unless ``exist_ok``."""
        return self._send(Workspace, "POST", "/workspaces", body)

    def workspaces(self) -> list[Workspace]:
        """All workspaces."""
        return self._list(Workspace, "/workspaces")

    def workspace(self, name: str) -> Workspace:
        """One workspace. Raises `WorkspaceNotFound`."""
        return self._get(Workspace, f"/workspaces/{_q(name)}")

    def delete_workspace(self, name: str) -> None:
        """Delete an empty workspace. Raises `WorkspaceNotFound`, `InUse`."""
        self._send(None, "DELETE", f"/workspaces/{_q(name)}")

    # Models

    def register_model(self, workspace: str, body: RegisterModel) -> Model:
        """Make the next version; its files are in the blob store already (`Transfer.put`)."""
        return self._send(Model, "POST", f"/workspaces/{_q(workspace)}/models", body)

    def models(
        self,
        workspace: str,
        *,
        name: str | None = None,
        tags: Pairs = None,
        properties: Pairs = None,
        run_id: str | None = None,
        framework: str | None = None,
        latest: bool = False,
    ) -> list[Model]:
        """Model versions that match every given filter; ``latest`` keeps the newest of each name."""
        return self._list(
            Model,
            f"/workspaces/{_q(workspace)}/models",
            name=name,
            tag=_pairs(tags),
            property=_pairs(properties),
            run_id=run_id,
            framework=framework,
            latest=latest or None,
        )

    def model(self, workspace: str, model_id: str) -> Model:
        """One version by ``name:version``, or the newest by ``name``. Raises `ModelNotFound`."""
        return self._get(Model, f"/workspaces/{_q(workspace)}/models/{_q(model_id)}")

    def update_model(self, workspace: str, model_id: str, body: UpdateModel) -> Model:
        """Change tags, description, resources; add properties. Raises `Conflict` for a set property."""
        return self._send(Model, "PATCH", f"/workspaces/{_q(workspace)}/models/{_q(model_id)}", body)

    def delete_model(self, workspace: str, model_id: str) -> None:
        """Delete one version. Raises `InUse` while a service uses it."""
        self._send(None, "DELETE", f"/workspaces/{_q(workspace)}/models/{_q(model_id)}")

    # Environments

    def register_environment(self, workspace: str, body: EnvironmentSpec) -> Environment:
        """Register; an equal definition keeps its version."""
        return self._send(Environment, "POST", f"/workspaces/{_q(workspace)}/environments", body)

    def environments(self, workspace: str) -> list[Environment]:
        """The newest version of each environment."""
        return self._list(Environment, f"/workspaces/{_q(workspace)}/environments")

    def environment(self, workspace: str, name: str, version: str | None = None) -> Environment:
        """One version; None means the newest. Raises `EnvironmentNotFound`."""
        return self._get(Environment, f"/workspaces/{_q(workspace)}/environments/{_q(name)}", version=version)

    def build_environment(
        self,
        workspace: str,
        name: str,
        version: str | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> bodies.BuiltEnvironment:
        """Build it on the API's machine; ``progress`` gets one line at a time. Raises `EnvironmentFailed`."""
        return self._stream(
            bodies.BuiltEnvironment,
            f"/workspaces/{_q(workspace)}/environments/{_q(name)}/build",
            progress,
            version=version,
        )

    # Services

    def deploy(self, workspace: str, body: DeployService) -> Operation:
        """Start a deployment and return its operation at once; ``body.check`` must be False."""
        return self._send(Operation, "POST", f"/workspaces/{_q(workspace)}/services", body)

    def check(self, workspace: str, body: DeployService) -> CheckReport:
        """The pre-flight alone (``body.check`` True): raises what a deploy would raise, creates nothing."""
        return self._send(CheckReport, "POST", f"/workspaces/{_q(workspace)}/services", body)

    def services(
        self,
        workspace: str,
        *,
        compute_type: str | None = None,
        model_name: str | None = None,
        model_id: str | None = None,
        tags: Pairs = None,
        properties: Pairs = None,
    ) -> list[Service]:
        """Services that match every given filter, with their state of this moment."""
        return self._list(
            Service,
            f"/workspaces/{_q(workspace)}/services",
            compute_type=compute_type,
            model_name=model_name,
            model_id=model_id,
            tag=_pairs(tags),
            property=_pairs(properties),
        )

    def service(self, workspace: str, name: str) -> Service:
        """One service with its state of this moment. Raises `ServiceNotFound`."""
        return self._get(Service, f"/workspaces/{_q(workspace)}/services/{_q(name)}")

    def update_service(self, workspace: str, name: str, body: UpdateService) -> Operation | Service:
        """An `Operation` when a new revision is needed, else the changed `Service`."""
        path = f"/workspaces/{_q(workspace)}/services/{_q(name)}"
        response = self._request("PATCH", path, body)
        return _answer(Operation, response) if response.status == 202 else _answer(Service, response)

    def delete_service(self, workspace: str, name: str) -> Operation | None:
        """Stop and remove; None when it is gone already, else the operation that removes it."""
        response = self._request("DELETE", f"/workspaces/{_q(workspace)}/services/{_q(name)}")
        return _answer(Operation, response) if response.status == 202 else None

    def logs(self, workspace: str, name: str, num_lines: int = 5000, init: bool = False) -> str:
        """The newest log lines, oldest first; also of a service that failed."""
        path = f"/workspaces/{_q(workspace)}/services/{_q(name)}/logs"
        return self._get(bodies.Logs, path, lines=num_lines, init=init or None).text

    def revisions(self, workspace: str, name: str) -> list[Revision]:
        """All revisions of a service."""
        return self._list(Revision, f"/workspaces/{_q(workspace)}/services/{_q(name)}/revisions")

    def rollback(self, workspace: str, name: str, revision: int | None = None) -> Operation:
        """Return to an earlier revision; None is the newest good one before the present."""
        path = f"/workspaces/{_q(workspace)}/services/{_q(name)}/rollback"
        return self._send(Operation, "POST", path, bodies.Rollback(revision=revision))

    def reload(self, workspace: str, name: str) -> Operation:
        """Start the present revision anew with the same files; `Transfer.reload` takes them from this machine again."""
        return self._send(Operation, "POST", f"/workspaces/{_q(workspace)}/services/{_q(name)}/reload")

    def service_inference(self, workspace: str, name: str) -> InferenceSpec:
        """Entry script, source files and environment that a service runs."""
        return self._get(InferenceSpec, f"/workspaces/{_q(workspace)}/services/{_q(name)}/inference")

    def service_keys(self, workspace: str, name: str) -> ServiceKeys:
        """Both keys of a service. Raises `NotSupported` when it asks for none."""
        return self._send(ServiceKeys, "POST", f"/workspaces/{_q(workspace)}/services/{_q(name)}/listkeys")

    def regenerate_key(self, workspace: str, name: str, which: str, value: str | None = None) -> ServiceKeys:
        """Replace the key ``Primary`` or ``Secondary``; the other stays good."""
        path = f"/workspaces/{_q(workspace)}/services/{_q(name)}/regenerateKeys"
        return self._send(ServiceKeys, "POST", path, RegenerateKey(key_type=which, key_value=value))

    def service_token(self, workspace: str, name: str, user: str = "") -> AccessToken:
        """A token for a service. Raises `NotSupported` when it takes none."""
        path = f"/workspaces/{_q(workspace)}/services/{_q(name)}/token"
        return self._send(AccessToken, "POST", path, IssueToken(user=user))

    # Packages

    def create_package(self, workspace: str, body: CreatePackage) -> Package:
        """Start making an image, or a folder to build one from, and return at once."""
        return self._send(Package, "POST", f"/workspaces/{_q(workspace)}/packages", body)

    def packages(self, workspace: str) -> list[Package]:
        """A workspace's packages, newest first."""
        return self._list(Package, f"/workspaces/{_q(workspace)}/packages")

    def package(self, workspace: str, package_id: str) -> Package:
        """One package as it is now. Raises `NotFound`."""
        return self._get(Package, f"/workspaces/{_q(workspace)}/packages/{_q(package_id)}")

    def package_log(self, workspace: str, package_id: str) -> str:
        """What a package's work has said so far."""
        return self._get(bodies.Logs, f"/workspaces/{_q(workspace)}/packages/{_q(package_id)}/log").text

    def pull_package(self, workspace: str, package_id: str) -> Package:
        """Bring its image from its registry into the engine of the API's machine."""
        path = f"/workspaces/{_q(workspace)}/packages/{_q(package_id)}/pull"
        return self._send(Package, "POST", path, timeout=_LONG_SECONDS)

    def inspect_image(self, image: str) -> ImageReport:
        """What is in an image of the engine. Raises `NotFound`, `TargetUnavailable`."""
        response = self._request("GET", "/images/inspect", query={"image": image}, timeout=_LONG_SECONDS)
        return _answer(ImageReport, response)

    # Operations

    def operations(self, workspace: str, *, service: str | None = None, state: str | None = None) -> list[Operation]:
        """Operations of a workspace."""
        return self._list(Operation, f"/workspaces/{_q(workspace)}/operations", service=service, state=state)

    def operation(self, operation_id: str) -> Operation:
        """One operation with its steps as they are now. Raises `OperationNotFound`."""
        return self._get(Operation, f"/operations/{_q(operation_id)}")

    def cancel_operation(self, operation_id: str) -> Operation:
        """Ask a running operation to stop."""
        return self._send(Operation, "POST", f"/operations/{_q(operation_id)}/cancel")

    def up(self) -> dict[str, Any]:
        """Start again what should run and does not (after a reboot); answers what was started."""
        return self._send(bodies.Facts, "POST", "/up", timeout=_LONG_SECONDS).facts

    def gc(self, dry_run: bool = False) -> dict[str, Any]:
        """Remove what nothing refers to; answers what was, or with ``dry_run`` would be, removed."""
        body = bodies.CollectGarbage(dry_run=dry_run)
        return self._send(bodies.Facts, "POST", "/gc", body, timeout=_LONG_SECONDS).facts

    # How a call is made

    def _get(self, answer: type[T], path: str, **query: Any) -> T:
        return _answer(answer, self._request("GET", path, query=query))

    def _send(self, answer: type[T] | None, method: str, path: str, body: Any = None, timeout: float = _SECONDS) -> T:
        response = self._request(method, path, body, timeout=timeout)
        if answer is None:
            return None  # type: ignore[return-value]
        return _answer(answer, response)

    def _list(self, item: type[T], path: str, **query: Any) -> list[T]:
        found: list[T] = []
        after: str | None = None
        while True:
            page: bodies.Page[T] = self._get(bodies.Page[item], path, **query, after=after)  # type: ignore[valid-type]
            found += page.value
            after = page.next
            if after is None:
                return found

    def _stream(self, answer: type[T], path: str, progress: Callable[[str], None] | None, **query: Any) -> T:
        response = self._request("POST", path, query=query, timeout=_LONG_SECONDS)
        if response.stream is None:
            return _answer(answer, response)
        for line in _lines(response.stream):
            event = json.loads(line)
            if "progress" in event and progress is not None:
                progress(event["progress"])
            elif "error" in event:
                raise from_payload(event["error"])
            elif "result" in event:
                return decode(event["result"], answer, where="the server's answer")
        raise Unreachable(f"the answer of {self.where} ended too early", hint="Try again; see the server's log.")

    def _request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        timeout: float = _SECONDS,
    ) -> Response:
        request = Request(
            method=method,
            path=PREFIX + path,
            query={name: _texts(value) for name, value in (query or {}).items() if value not in (None, [])},
            headers={"content-type": JSON} if body is not None else {},
            body=encode(body) if body is not None else b"",
        )
        response = self._transport.send(request, timeout)
        if response.status >= 400:
            raise _error(response, self.where)
        return response


def _q(segment: str) -> str:
    return quote(segment, safe="")


def _texts(value: Any) -> list[str]:
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [str(v) for v in value] if isinstance(value, list) else [str(value)]


def _pairs(wanted: Pairs) -> list[str]:
    if not wanted:
        return []
    if isinstance(wanted, Mapping):
        return [key if value is None else f"{key}={value}" for key, value in wanted.items()]
    if isinstance(wanted, str):
        return [wanted]
    return [item if isinstance(item, str) else "=".join(map(str, item)) for item in wanted]


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line for line in whole if line)
    if rest:
        yield rest


def _answer(answer: type[T], response: Response) -> T:
    return decode(response.body, answer, where="the server's answer")


def _error(response: Response, where: str) -> SendoffError:
    try:
        payload = json.loads(response.body)["error"]
        return from_payload(dict(payload))
    except (ValueError, KeyError, TypeError):
        text = response.body[:200].decode("utf-8", "replace")
        return Unreachable(
            f"{where} answered {response.status} and not as a Sendoff server does: {text!r}",
            hint="Check SENDOFF_SERVER: another program may listen there.",
            status=response.status,
        )
