"""One typed method for each route (docs/http-api.md)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from ..errors import OperationInProgress
from ..progress import Progress
from ..spec import bodies
from ..spec.compute import Compute, ComputeRights, CreateCompute, UpdateCompute
from ..spec.environment import Environment, EnvironmentSpec
from ..spec.identity import AccessToken, IssueToken, RegenerateKey, ServiceKeys
from ..spec.inference import InferenceSpec
from ..spec.metrics import ServiceMetrics
from ..spec.model import Model, ModelSummary, RegisterModel, UpdateModel
from ..spec.operation import FINAL, Operation, pause_after
from ..spec.package import CreatePackage, ImageReport, Package
from ..spec.secret import Secret, SetSecret
from ..spec.service import CheckReport, DeployService, Revision, Service, UpdateService
from ..spec.workspace import CreateWorkspace, UpdateWorkspace, Workspace
from .caller import LONG_SECONDS, Pairs, answer_of, of, pairs, q
from .collected_calls import CollectedCalls
from .data_calls import DataCalls
from .run_calls import RunCalls

T = TypeVar("T")


class Client(CollectedCalls, DataCalls, RunCalls):
    """The whole API as methods. Every method may raise the error class that the other side raised, or `Unreachable`.

    What changes a service waits for an operation of this process that is not over; where it is another's, it is refused
    (`OperationInProgress`).
    """

    _started: ClassVar[set[str]] = set()
    """Ids of operations that this process has started, with whichever client."""

    def _after_own(self, ask: Callable[[], T]) -> T:
        """Ask; where an operation that this process started is in the way, wait for its end and ask again."""
        while True:
            try:
                answer = ask()
            except OperationInProgress as busy:
                own = str(busy.context.get("operation"))
                if own not in self._started:
                    raise
                began = time.monotonic()
                while self.operation(own).state not in FINAL:
                    time.sleep(pause_after(time.monotonic() - began))
                self._started.discard(own)
                continue
            if isinstance(answer, Operation):
                self._started.add(answer.id)
            return answer

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
        return self._get(Workspace, f"/workspaces/{q(name)}")

    def update_workspace(self, name: str, body: UpdateWorkspace) -> Workspace:
        """Change it. Raises `WorkspaceNotFound`."""
        return self._send(Workspace, "PATCH", f"/workspaces/{q(name)}", body)

    def delete_workspace(self, name: str) -> None:
        """Delete an empty workspace. Raises `WorkspaceNotFound`, `InUse`."""
        self._send(None, "DELETE", f"/workspaces/{q(name)}")

    def secrets(self, workspace: str) -> list[Secret]:
        """Names of a workspace's secrets, without values."""
        return self._list(Secret, of(workspace, "secrets"))

    def secret(self, workspace: str, name: str) -> Secret:
        """A secret with its value. Raises `NotFound`."""
        return self._get(Secret, of(workspace, "secrets", name))

    def set_secret(self, workspace: str, name: str, body: SetSecret) -> Secret:
        """Keep a secret."""
        return self._send(Secret, "PUT", of(workspace, "secrets", name), body)

    def delete_secret(self, workspace: str, name: str) -> None:
        """Forget a secret. Raises `NotFound`."""
        self._send(None, "DELETE", of(workspace, "secrets", name))

    def create_compute(self, workspace: str, body: CreateCompute) -> Compute:
        """Keep a compute target. Raises `AlreadyExists`."""
        return self._send(Compute, "POST", of(workspace, "computes"), body)

    def computes(self, workspace: str) -> list[Compute]:
        """Compute targets by name."""
        return self._list(Compute, of(workspace, "computes"))

    def compute(self, workspace: str, name: str) -> Compute:
        """One compute target. Raises `ComputeNotFound`."""
        return self._get(Compute, of(workspace, "computes", name))

    def compute_rights(self, workspace: str, name: str, namespace: str | None = None) -> ComputeRights:
        """The objects that let a service account deploy to a cluster. Raises `ComputeNotFound`."""
        return self._get(ComputeRights, of(workspace, "computes", name, "rights"), namespace=namespace)

    def update_compute(self, workspace: str, name: str, body: UpdateCompute) -> Compute:
        """Change a compute target. Raises `ComputeNotFound`."""
        return self._send(Compute, "PATCH", of(workspace, "computes", name), body)

    def delete_compute(self, workspace: str, name: str) -> None:
        """Forget a compute target. Raises `ComputeNotFound`."""
        self._send(None, "DELETE", of(workspace, "computes", name))

    # Models

    def register_model(self, workspace: str, body: RegisterModel) -> Model:
        """Make the next version; its files are in the blob store already (`Transfer.put`)."""
        return self._send(Model, "POST", of(workspace, "models"), body)

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
    ) -> list[ModelSummary]:
        """Model versions, without files, that match every given filter; ``latest`` keeps the newest of each name."""
        return self._list(
            ModelSummary,
            of(workspace, "models"),
            name=name,
            tag=pairs(tags),
            property=pairs(properties),
            run_id=run_id,
            framework=framework,
            latest=latest or None,
        )

    def model(self, workspace: str, model_id: str) -> Model:
        """One version by ``name:version``, or the newest by ``name``. Raises `ModelNotFound`."""
        return self._get(Model, of(workspace, "models", model_id))

    def update_model(self, workspace: str, model_id: str, body: UpdateModel) -> Model:
        """Change tags, description, resources; add properties. Raises `Conflict` for a set property."""
        return self._send(Model, "PATCH", of(workspace, "models", model_id), body)

    def delete_model(self, workspace: str, model_id: str) -> None:
        """Delete one version. Raises `InUse` while a service uses it."""
        self._send(None, "DELETE", of(workspace, "models", model_id))

    # Environments

    def register_environment(self, workspace: str, body: EnvironmentSpec) -> Environment:
        """Register; an equal definition keeps its version."""
        return self._send(Environment, "POST", of(workspace, "environments"), body)

    def environments(self, workspace: str) -> list[Environment]:
        """The newest version of each environment."""
        return self._list(Environment, of(workspace, "environments"))

    def environment(self, workspace: str, name: str, version: str | None = None) -> Environment:
        """One version; None means the newest. Raises `EnvironmentNotFound`."""
        return self._get(Environment, of(workspace, "environments", name), version=version)

    def build_environment(
        self,
        workspace: str,
        name: str,
        version: str | None = None,
        progress: Progress | None = None,
    ) -> bodies.BuiltEnvironment:
        """Build it on the API's machine; ``progress`` gets one line at a time. Raises `EnvironmentFailed`."""
        return self._stream(
            bodies.BuiltEnvironment,
            of(workspace, "environments", name, "build"),
            progress,
            version=version,
        )

    # Services

    def deploy(self, workspace: str, body: DeployService) -> Operation:
        """Start a deployment and return its operation at once; ``body.check`` must be False."""
        return self._after_own(lambda: self._send(Operation, "POST", of(workspace, "services"), body))

    def check(self, workspace: str, body: DeployService) -> CheckReport:
        """The pre-flight alone (``body.check`` True): raises what a deploy would raise, creates nothing."""
        return self._send(CheckReport, "POST", of(workspace, "services"), body)

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
            of(workspace, "services"),
            compute_type=compute_type,
            model_name=model_name,
            model_id=model_id,
            tag=pairs(tags),
            property=pairs(properties),
        )

    def service(self, workspace: str, name: str) -> Service:
        """One service with its state of this moment. Raises `ServiceNotFound`."""
        return self._get(Service, of(workspace, "services", name))

    def update_service(self, workspace: str, name: str, body: UpdateService) -> Operation | Service:
        """An `Operation` when a new revision is needed, else the changed `Service`."""

        def ask() -> Operation | Service:
            response = self._request("PATCH", of(workspace, "services", name), body)
            return answer_of(Operation, response) if response.status == 202 else answer_of(Service, response)

        return self._after_own(ask)

    def delete_service(self, workspace: str, name: str) -> Operation | None:
        """Stop and remove; None when it is gone already, else the operation that removes it."""

        def ask() -> Operation | None:
            response = self._request("DELETE", of(workspace, "services", name))
            return answer_of(Operation, response) if response.status == 202 else None

        return self._after_own(ask)

    def logs(self, workspace: str, name: str, num_lines: int = 5000, init: bool = False) -> str:
        """The newest log lines, oldest first; also of a service that failed."""
        return self._get(bodies.Logs, of(workspace, "services", name, "logs"), lines=num_lines, init=init or None).text

    def metrics(self, workspace: str, name: str) -> ServiceMetrics:
        """What a service counts since its server was started; `Conflict` when none answers."""
        return self._get(ServiceMetrics, of(workspace, "services", name, "metrics"))

    def revisions(self, workspace: str, name: str) -> list[Revision]:
        """All revisions of a service."""
        return self._list(Revision, of(workspace, "services", name, "revisions"))

    def rollback(self, workspace: str, name: str, revision: int | None = None) -> Operation:
        """Return to an earlier revision; None is the newest good one before the present."""
        body = bodies.Rollback(revision=revision)
        return self._after_own(lambda: self._send(Operation, "POST", of(workspace, "services", name, "rollback"), body))

    def reload(self, workspace: str, name: str) -> Operation:
        """Start the present revision anew with the same files; `Transfer.reload` takes them from this machine again."""
        return self._after_own(lambda: self._send(Operation, "POST", of(workspace, "services", name, "reload")))

    def service_inference(self, workspace: str, name: str) -> InferenceSpec:
        """Entry script, source files and environment that a service runs."""
        return self._get(InferenceSpec, of(workspace, "services", name, "inference"))

    def service_keys(self, workspace: str, name: str) -> ServiceKeys:
        """Both keys of a service. Raises `NotSupported` when it asks for none."""
        return self._send(ServiceKeys, "POST", of(workspace, "services", name, "listkeys"))

    def regenerate_key(self, workspace: str, name: str, which: str, value: str | None = None) -> ServiceKeys:
        """Replace the key ``Primary`` or ``Secondary``; the other stays good."""
        body = RegenerateKey(key_type=which, key_value=value)
        return self._send(ServiceKeys, "POST", of(workspace, "services", name, "regenerateKeys"), body)

    def service_token(self, workspace: str, name: str, user: str = "") -> AccessToken:
        """A token for a service. Raises `NotSupported` when it takes none."""
        return self._send(AccessToken, "POST", of(workspace, "services", name, "token"), IssueToken(user=user))

    # Packages

    def create_package(self, workspace: str, body: CreatePackage) -> Package:
        """Start making an image, or a folder to build one from, and return at once."""
        return self._send(Package, "POST", of(workspace, "packages"), body)

    def packages(self, workspace: str) -> list[Package]:
        """A workspace's packages, newest first."""
        return self._list(Package, of(workspace, "packages"))

    def package(self, workspace: str, package_id: str) -> Package:
        """One package as it is now. Raises `NotFound`."""
        return self._get(Package, of(workspace, "packages", package_id))

    def package_log(self, workspace: str, package_id: str) -> str:
        """What a package's work has said so far."""
        return self._get(bodies.Logs, of(workspace, "packages", package_id, "log")).text

    def pull_package(self, workspace: str, package_id: str) -> Package:
        """Bring its image from its registry into the engine of the API's machine."""
        return self._send(Package, "POST", of(workspace, "packages", package_id, "pull"), timeout=LONG_SECONDS)

    def inspect_image(self, image: str) -> ImageReport:
        """What is in an image of the engine. Raises `NotFound`, `TargetUnavailable`."""
        response = self._request("GET", "/images/inspect", query={"image": image}, timeout=LONG_SECONDS)
        return answer_of(ImageReport, response)

    # Operations

    def operations(self, workspace: str, *, service: str | None = None, state: str | None = None) -> list[Operation]:
        """Operations of a workspace."""
        return self._list(Operation, of(workspace, "operations"), service=service, state=state)

    def operation(self, operation_id: str) -> Operation:
        """One operation with its steps as they are now. Raises `OperationNotFound`."""
        return self._get(Operation, f"/operations/{q(operation_id)}")

    def cancel_operation(self, operation_id: str) -> Operation:
        """Ask a running operation to stop."""
        return self._send(Operation, "POST", f"/operations/{q(operation_id)}/cancel")

    def up(self) -> dict[str, Any]:
        """Start again what should run and does not (after a reboot); answers what was started."""
        return self._send(bodies.Facts, "POST", "/up", timeout=LONG_SECONDS).facts

    def gc(self, dry_run: bool = False) -> dict[str, Any]:
        """Remove what nothing refers to; answers what was, or with ``dry_run`` would be, removed."""
        body = bodies.CollectGarbage(dry_run=dry_run)
        return self._send(bodies.Facts, "POST", "/gc", body, timeout=LONG_SECONDS).facts
