"""The service and its three kinds (spec/surface.md sec. 2.8, 2.8.1, 2.9, 2.10)."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ...client.service_link import ServiceAuthorization, connect, user
from ...client.service_log import raised
from ...errors import DeploymentFailed, NotSupported, ScoringFailed, SendoffError, Unreachable, from_payload
from ...spec import service as spec
from ...spec.deployment import ACI, DEFAULT, DeploymentSpec
from ...spec.operation import CANCELLED, SUCCEEDED, Operation
from ...spec.tls_files import with_tls_files
from ..exceptions import WebserviceException, as_sdk_errors, raised_as
from ..given import texts
from ..timeline import Timeline, follow, timeline_table
from .deploying import listed, registered
from .deployment_configuration import as_given, collection
from .image_forms import ImageForms
from .scoring import score
from .watching import Watched

if TYPE_CHECKING:
    from ..model import Model
    from ..workspace import Workspace
    from .collected_data import CollectedData
    from .inference_config import InferenceConfig
    from .values import AksServiceAccessToken


class Webservice(ImageForms, Watched):
    """A deployed service: ``Webservice(ws, name)`` gives the object of its own kind.

    Args:
        workspace: Where it is.
        name: Its name.

    Raises:
        WebserviceException: There is none; the message contains ``WebserviceNotFound``.
    """

    _compute_type: str | None = None

    def __new__(cls, workspace: Workspace, name: str, *_: Any, **__: Any) -> Webservice:
        if cls is not Webservice:
            return super().__new__(cls)
        with as_sdk_errors(WebserviceException):
            view = workspace._client.service(workspace.name, name)
        return _of_view(workspace, view)

    def __init__(self, workspace: Workspace, name: str) -> None:
        if "_view" in vars(self):  # made by Webservice(ws, name), with what the service told
            return
        self.workspace = workspace
        self.name = name
        self._operation_id: str | None = None
        with as_sdk_errors(WebserviceException):
            view = workspace._client.service(workspace.name, name)
            if type(self)._compute_type not in (None, _kind(view)._compute_type):
                raise NotSupported(
                    f"service {name!r} is a {_kind(view).__name__}, not a {type(self).__name__}",
                    hint="Webservice(workspace, name) gives the right class.",
                )
        self._fill(view)

    def _fill(self, view: spec.Service) -> None:
        self._view = view
        self.state: str | None = view.state
        self.error: Any = _legacy_error(view.error)
        self.compute_type = ACI if view.compute_type == DEFAULT else view.compute_type  # as SDK v1's scripts expect
        self.auth_enabled = view.auth_enabled
        self.token_auth_enabled = view.token_auth_enabled
        self.enable_app_insights = bool(view.deployment.enable_app_insights)
        self.description = view.description
        self.tags = dict(view.tags)
        self.properties = dict(view.properties)
        self.created_time = datetime.fromtimestamp(view.created_time, UTC)
        self.updated_time = datetime.fromtimestamp(view.updated_time, UTC)
        self.created_by = None
        self.image: Any = None
        self.image_id: str | None = None
        self.image_digest: str | None = None
        self.environment = view.environment
        self.location = view.deployment.location

    @property
    def scoring_uri(self) -> str | None:
        """Where requests go; None before the service has an address."""
        return self._view.scoring_uri

    @property
    def data(self) -> CollectedData:
        """What it has collected: its files, its rows, the counts."""
        from .collected_data import CollectedData

        return CollectedData(self)

    @property
    def swagger_uri(self) -> str | None:
        """Where the Swagger 2.0 document is."""
        return self._view.swagger_uri

    @property
    def models(self) -> builtins.list[Model]:
        """The models that it serves."""
        return [self.workspace._model(id=one) for one in self._view.models]

    @staticmethod
    @as_sdk_errors(WebserviceException)
    def list(
        workspace: Workspace,
        compute_type: str | None = None,
        image_name: str | None = None,
        image_id: str | None = None,
        model_name: str | None = None,
        model_id: str | None = None,
        tags: Sequence[Any] | None = None,
        properties: Sequence[Any] | None = None,
        image_digest: str | None = None,
    ) -> builtins.list[Webservice]:
        """Services that match every filter.

        Args:
            workspace: Where to look.
            compute_type: LOCAL, ACI or AKS.
            image_name: No service here has an image: any value matches nothing.
            image_id: As above.
            model_name: Only services with a version of this model.
            model_id: Only services with this version.
            tags: ``["key", ["key", "value"]]``; all must match.
            properties: As ``tags``.
            image_digest: As ``image_name``.
        """
        if image_name or image_id or image_digest:
            return []
        views = workspace._client.services(
            workspace.name,
            compute_type=compute_type,
            model_name=model_name,
            model_id=model_id,
            tags=tags,
            properties=properties,
        )
        return [_of_view(workspace, view) for view in views]

    @staticmethod
    @as_sdk_errors(WebserviceException)
    def check_for_existing_webservice(
        workspace: Workspace, name: str, overwrite: bool = False, request_func: object = None, check_func: object = None
    ) -> None:
        """Nothing when the name is free or may be overwritten.

        Raises:
            WebserviceException: The name is taken.
        """
        if not overwrite and any(view.name == name for view in workspace._client.services(workspace.name)):
            raise WebserviceException(
                f"Service with name {name!r} already exists.",
                hint="Use overwrite=True, update(), or delete() it first.",
            )

    def wait_for_deployment(self, show_output: bool = False, timeout_sec: float | None = None) -> None:
        """Wait until the newest deployment, update or removal has ended.

        Args:
            show_output: Print its steps while they happen.
            timeout_sec: Seconds to wait at most; the deployment goes on.

        Raises:
            WebserviceException: It failed; the text has the script's traceback with file and line. Or it was
                cancelled, or took longer than ``timeout_sec``.
        """
        with as_sdk_errors(WebserviceException):
            operation = self._operation()
            if operation is not None:
                operation = self._follow(operation, Timeline() if show_output else None, timeout_sec)
            self.update_deployment_state()
        if operation is not None and operation.state != SUCCEEDED:
            raise _failure(self.name, operation)

    @as_sdk_errors(WebserviceException)
    def update_deployment_state(self) -> None:
        """Read ``state`` and everything else anew."""
        self._fill(self.workspace._client.service(self.workspace.name, self.name))

    def run(self, input: Any = None, **kwargs: Any) -> Any:
        """Send a request to ``scoring_uri``, with the key or token it asks for, and give the decoded answer.

        Args:
            input: Text or bytes are sent as they are, anything else as JSON.
            **kwargs: ``input_data``, its name in the classes of each kind.

        Raises:
            WebserviceException: The service answered with an error (``status_code``; the text has its body), does not
                answer, or has no address yet.
        """
        data = kwargs.pop("input_data", input)
        with as_sdk_errors(WebserviceException):
            if self._view.scoring_uri is None:
                self.update_deployment_state()
            uri = self._view.scoring_uri
            if uri is None:
                raise Unreachable(
                    f"service {self.name!r} is {self.state} and has no address",
                    hint="get_logs() says why; then update() or deploy it again."
                    if (self.state or "").lower() == "failed"
                    else "wait_for_deployment() waits for it.",
                )
            try:
                return self._score(data)
            except ScoringFailed as refused:
                if refused.context.get("status") != 401:
                    raise self._with_traceback(refused) from None
            # A key was replaced, or a token is asked for now: with what the service wants today, once more.
            self._authorization().forget()
            self.update_deployment_state()
            return self._score(data)

    def _score(self, data: Any) -> Any:
        limit = self._view.deployment.scoring_timeout_ms or 60_000
        client = self.workspace._client
        link = connect(client, self._view, timeout=2 * limit / 1000 + 10)
        return score(str(self._view.scoring_uri), data, link, self._authorization().headers(self._view))

    def _with_traceback(self, refused: ScoringFailed) -> ScoringFailed:
        """What the script raised follows at once: it is in the log, not in the answer that any caller gets."""
        if refused.context.pop("script_failed"):
            trace = raised(self.workspace._client, self.workspace.name, self.name, refused.context["request_id"])
            refused.context["traceback"] = trace
            refused.message += f"\nThe script raised:\n{trace}" if trace else ""
        return refused

    def _authorization(self) -> ServiceAuthorization:
        if not hasattr(self, "_kept_authorization"):
            self._kept_authorization = ServiceAuthorization(self.workspace._client)
        return self._kept_authorization

    @as_sdk_errors(WebserviceException)
    def get_logs(self, num_lines: int = 5000, init: bool = False) -> str:
        """The newest log lines, oldest first; also of a service that failed to start."""
        return self.workspace._client.logs(self.workspace.name, self.name, num_lines, init)

    @as_sdk_errors(WebserviceException)
    def delete(self) -> None:
        """Stop and remove it, and wait until it is gone; a service that is gone is no error."""
        operation = self.workspace._client.delete_service(self.workspace.name, self.name)
        if operation is not None:
            operation = self._follow(operation, None, None)
            if operation.state != SUCCEEDED:
                raise _failure(self.name, operation)
        self.state = "deleted"

    def update(self, *args: Any, **kwargs: Any) -> None:
        """See the classes of each kind."""
        raise NotImplementedError

    def add_tags(self, tags: dict[str, str]) -> None:
        """Add tags, or change their values."""
        self._update(add_tags=texts(tags))

    def remove_tags(self, tags: Sequence[str]) -> None:
        """Remove tags by key."""
        self._update(remove_tags=[tags] if isinstance(tags, str) else [*tags])

    def add_properties(self, properties: dict[str, str]) -> None:
        """Add properties.

        Raises:
            WebserviceException: A property is set already to another value.
        """
        self._update(add_properties=texts(properties))

    def get_keys(self) -> tuple[str, str]:
        """Its primary and its secondary key; either opens it.

        Raises:
            WebserviceException: It asks for no keys; the text says how to turn them on.
        """
        with self._access():
            keys = self.workspace._client.service_keys(self.workspace.name, self.name)
        return keys.primary_key, keys.secondary_key

    def regen_key(self, key: str, set_key: str | None = None) -> None:
        """Replace one key; the other stays good, so that clients can be moved without a failed request.

        Args:
            key: ``'Primary'`` or ``'Secondary'``, in any case.
            set_key: The new key; one is made when None.

        Raises:
            WebserviceException: It asks for no keys, or there is no key of that name.
        """
        with self._access():
            self.workspace._client.regenerate_key(self.workspace.name, self.name, key, set_key)
        self._authorization().forget()

    def get_token(self) -> tuple[str, datetime]:
        """A token, and the time (UTC) after which to ask for the next one.

        Raises:
            WebserviceException: It takes no tokens; the text says how to turn them on.
        """
        token = self.get_access_token()
        return token.access_token, token.refresh_after

    def get_access_token(self) -> AksServiceAccessToken:
        """A token with all that is known of it.

        Raises:
            WebserviceException: It takes no tokens; the text says how to turn them on.
        """
        from .values import AksServiceAccessToken

        with self._access():
            made = self.workspace._client.service_token(self.workspace.name, self.name, user())
        return AksServiceAccessToken(made.access_token, made.token_type, made.refresh_after, made.expiry_on)

    def serialize(self) -> dict[str, Any]:
        """The service as a JSON object with SDK v1's keys."""
        from .webservice_json import service_json

        return service_json(self._view)

    @classmethod
    def deserialize(cls, workspace: Workspace, webservice_payload: dict[str, Any]) -> Webservice:
        """The service that `serialize` described, as it is now."""
        return Webservice(workspace, webservice_payload["name"])

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(name={self.name!r}, workspace={self.workspace.name!r}, state={self.state!r}, "
            f"scoring_uri={self.scoring_uri!r})"
        )

    def _repr_html_(self) -> str:
        from .. import notebook

        shown = notebook.facts(
            f"{type(self).__name__} {self.name}",
            {
                "State": self.state,
                "Address": self.scoring_uri,
                "Models": self._view.models,
                "Environment": self.environment,
                "Revision": self._view.revision,
                "Compute type": self._view.compute_type,
                "Target": self._view.target,
                "Tags": self.tags,
                "Error": (self.error or {}).get("message"),
            },
        )
        operation = self._view.operation
        return shown if operation is None else shown + timeline_table(operation)

    def _operation(self) -> Operation | None:
        client = self.workspace._client
        if self._operation_id is not None:
            return client.operation(self._operation_id)
        return client.service(self.workspace.name, self.name).operation

    def _follow(self, operation: Operation, timeline: Timeline | None, timeout_sec: float | None) -> Operation:
        operation = follow(lambda: self.workspace._client.operation(operation.id), timeline, timeout_sec)
        if timeline is not None:
            timeline.close(f"Service {operation.type} operation finished: {operation.state}")
        return operation

    @as_sdk_errors(WebserviceException)
    def _update(
        self,
        *,
        models: Sequence[Any] | None = None,
        inference_config: InferenceConfig | None = None,
        deployment: DeploymentSpec | None = None,
        **words: Any,
    ) -> bool:
        """Ask for a change; whether an operation brings it about."""
        body = spec.UpdateService(
            models=None if models is None else [registered(self.workspace, one) for one in listed(models)],
            inference=inference_config._spec(self.workspace) if inference_config else None,
            deployment=deployment,
            **words,
        )
        answer = self.workspace._client.update_service(self.workspace.name, self.name, body)
        if isinstance(answer, Operation):
            self._operation_id = answer.id
            self.update_deployment_state()
            return True
        self._fill(answer)
        return False

    @as_sdk_errors(WebserviceException)
    def _update_as_given(self, given: dict[str, Any], **values: Any) -> None:
        """What the kinds' `update` was given; ``values``: fields of the configuration that were made of several."""
        if given["image"] is not None:
            raise NotSupported("deploying images is SDK v1's oldest form and not supported", hint="Use Model.deploy.")
        collected = collection(given["collect_model_data"], given["data_collection"])
        changes = {**as_given(given), **collected, **values}
        set_ = {name: value for name, value in changes.items() if value is not None}
        self._update(
            models=given["models"],
            inference_config=given["inference_config"],
            # merged with the present one; None when nothing is given
            deployment=with_tls_files(DeploymentSpec(**set_)) if set_ else None,
            tags=None if given["tags"] is None else texts(given["tags"]),
            add_properties=texts(given["properties"]),
            description=given["description"],
        )

    @contextmanager
    def _access(self) -> Iterator[None]:
        """As everywhere; a service without keys or tokens raises what SDK v1 raised for such, too."""
        try:
            yield
        except NotSupported as error:
            raise raised_as(WebserviceException, error, NotImplementedError) from None
        except SendoffError as error:
            raise raised_as(WebserviceException, error) from None


def _of_view(workspace: Workspace, view: spec.Service) -> Webservice:
    made = object.__new__(_kind(view))
    made.workspace, made.name, made._operation_id = workspace, view.name, None
    made._fill(view)
    return made


def _kind(view: spec.Service) -> type[Webservice]:
    kinds = {str(kind._compute_type): kind for kind in Webservice.__subclasses__()}
    return kinds.get(view.compute_type, kinds[ACI])


def _legacy_error(error: dict[str, Any] | None) -> dict[str, Any] | None:
    """An error's payload with SDK v1's ``statusCode`` and ``details`` beside its own keys."""
    if error is None:
        return None
    return {
        "statusCode": 400,
        "details": [],
        **error,
        **{key: error["context"][key] for key in _CONTEXT if key in error.get("context", {})},
    }


_CONTEXT = ("traceback", "file", "line", "step")


def _failure(name: str, operation: Operation) -> WebserviceException:
    """What `wait_for_deployment` raises: the reason, and where in the script, in words."""
    payload = operation.error or {}
    error: SendoffError = from_payload(payload) if payload else DeploymentFailed("no reason was recorded")
    context = error.context
    if operation.state == CANCELLED:
        lines = [f"Service {name!r}: the {operation.type} operation was cancelled."]
    else:
        lines = [f"Service {name!r} ended in {operation.state}: {error.message}"]
    if context.get("file"):
        lines.append(f"At {context['file']}, line {context.get('line')}.")
    if context.get("traceback"):
        lines.append(str(context["traceback"]).rstrip())
    elif context.get("log"):
        log = context["log"]
        lines += ["Last log lines:", *(log if isinstance(log, builtins.list) else [str(log)])]
    failed = type(error)("\n".join(lines), hint=error.hint or "service.get_logs() has everything that was printed.")
    failed.context = context
    made = raised_as(WebserviceException, failed)
    assert isinstance(made, WebserviceException)
    return made
