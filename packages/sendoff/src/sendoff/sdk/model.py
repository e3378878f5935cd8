"""The model (spec/surface.md sec. 2.4)."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..client import Transfer
from ..errors import InvalidInput
from ..spec import model as spec
from . import framework
from .exceptions import ModelNotFoundException, WebserviceException, as_sdk_errors
from .given import texts
from .model_payload import id_of, registration, to_payload
from .resource_configuration import ResourceConfiguration
from .saying import say
from .services import deploying
from .services.deploying import listed, print_configuration, registered
from .services.inference_config import InferenceConfig
from .unsupported import refusing

if TYPE_CHECKING:
    from .package import ModelPackage
    from .profile import ModelProfile
    from .services.deployment_configuration import WebserviceDeploymentConfiguration
    from .services.webservice import Webservice
    from .workspace import Workspace

# What `register` says of a model beside its name and files.
_DESCRIBING = """
    tags properties description model_framework model_framework_version resource_configuration datasets
    sample_input_dataset sample_output_dataset
"""


@refusing(
    "Model",
    {
        "Give datasets to Model.register.": """
            add_dataset_references(self, datasets: Sequence[tuple[str, Any]]) -> None
        """,
        "Fetch files with Model.download.": "get_sas_urls(self) -> dict[str, str]",
    },
    also=WebserviceException,
)
class Model:
    """A registered model version: the newest one that matches all that is given.

    Args:
        workspace: Where it is registered.
        name: Its name; ``name:version`` works too.
        id: ``name:version``.
        tags: ``["key", ["key", "value"]]``; all must match.
        properties: As ``tags``.
        version: A whole number from 1.
        run_id: The run that made it.
        model_framework: One of `Model.Framework`.
        expand: Taken for SDK v1's sake and not used.

    Raises:
        ModelNotFoundException: Nothing matches.
        WebserviceException: Something given is not allowed.
    """

    Framework = framework.Framework

    @as_sdk_errors(WebserviceException)
    def __init__(
        self,
        workspace: Workspace,
        name: str | None = None,
        id: str | None = None,
        tags: Sequence[Any] | None = None,
        properties: Sequence[Any] | None = None,
        version: int | None = None,
        run_id: str | None = None,
        model_framework: str | None = None,
        expand: bool = True,
        **_: Any,
    ) -> None:
        self.workspace: Workspace | None = workspace
        client = workspace._client
        if not any((name, id, tags, properties, run_id, model_framework)):
            raise InvalidInput("Model needs a name, an id, tags, properties, a run_id or a framework to look for.")
        wanted = id or name
        if wanted and version is not None and ":" not in wanted:
            wanted = f"{wanted}:{version}"
        if wanted and not any((tags, properties, run_id, model_framework)):
            self._fill(client.model(workspace.name, wanted))
            return
        bare, _colon, given_version = (wanted or "").partition(":")
        found = client.models(
            workspace.name,
            name=bare or None,
            tags=tags,
            properties=properties,
            run_id=run_id,
            framework=model_framework,
        )
        fitting = [view for view in found if not given_version or str(view.version) == given_version]
        if not fitting:
            raise ModelNotFoundException(
                f"ModelNotFound: no model in workspace {workspace.name!r} matches name={bare or None!r}, "
                f"tags={tags!r}, properties={properties!r}, run_id={run_id!r}, model_framework={model_framework!r}",
                hint="Model.list(workspace) shows what there is.",
            )
        self._fill(max(fitting, key=lambda view: (view.created_time, view.version)))

    @classmethod
    def _of(cls, workspace: Workspace, view: spec.ModelSummary) -> Model:
        made = cls.__new__(cls)
        made.workspace = workspace
        made._fill(view)
        return made

    def _fill(self, view: spec.ModelSummary) -> None:
        self.id = view.id
        self.name = view.name
        self.version = view.version
        self.description = view.description
        self.tags = dict(view.tags)
        self.properties = dict(view.properties)
        self.model_framework = view.framework
        self.model_framework_version = view.framework_version
        self.resource_configuration = ResourceConfiguration._of(view.resource_configuration)
        self.datasets = {
            scenario: [one.id for one in view.datasets if one.scenario == scenario]
            for scenario in dict.fromkeys(one.scenario for one in view.datasets)
        }
        self.sample_input_dataset = view.sample_input_dataset_id
        self.sample_output_dataset = view.sample_output_dataset_id
        self.experiment_name = view.experiment_name
        self.run_id = view.run_id
        self.run: object = None
        self.created_by = view.created_by
        self.created_time: datetime | None = datetime.fromtimestamp(view.created_time, UTC)
        self.mime_type = "application/octet-stream"
        self.unpack = False
        self.url = f"sendoff://models/{view.id}"
        self.parent_id: str | None = None
        self.derived_model_ids: list[str] = []
        self.scan = view.scan
        self.size = view.size
        self._manifest = view.files if isinstance(view, spec.Model) else None

    @staticmethod
    @as_sdk_errors(WebserviceException)
    def register(
        workspace: Workspace,
        model_path: str,
        model_name: str,
        tags: dict[str, str] | None = None,
        properties: dict[str, str] | None = None,
        description: str | None = None,
        datasets: Sequence[tuple[str, Any]] | None = None,
        model_framework: str | None = None,
        model_framework_version: str | None = None,
        child_paths: builtins.list[str] | None = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: ResourceConfiguration | None = None,
        *,
        follow_links: bool = False,
        **_: Any,
    ) -> Model:
        """Store a local file or folder as the next version of ``model_name``.

        Args:
            workspace: Where to.
            model_path: File or folder; a folder keeps its own name below the version's folder.
            model_name: 1 to 255 letters, digits, ``-``, ``_``, ``.``.
            tags: Changeable later.
            properties: Can only be added to later.
            description: Free text.
            datasets: ``(scenario, data set)`` pairs; scenario is training, validation or inferencing.
            model_framework: One of `Model.Framework`; None for what the files are, where that is certain, else Custom.
            model_framework_version: As text.
            child_paths: With a folder, only these files or folders in it.
            sample_input_dataset: A data set or its id.
            sample_output_dataset: A data set or its id.
            resource_configuration: What a no-code deployment takes.
            follow_links: Take what links in a folder lead to that lead out of it; they are refused otherwise.

        Raises `WebserviceException` when a path, name or value is not allowed; nothing was registered then.
        """
        given = locals()
        say(f"Registering model {model_name}")
        view = workspace._client.register_model(
            workspace.name,
            registration(
                model_name,
                Transfer(workspace._client, say).put_model(model_path, child_paths, follow_links=follow_links),
                **{name: given[name] for name in _DESCRIBING.split()},
            ),
        )
        return Model._of(workspace, view)

    @staticmethod
    @as_sdk_errors(WebserviceException)
    def list(
        workspace: Workspace,
        name: str | None = None,
        tags: Sequence[Any] | None = None,
        properties: Sequence[Any] | None = None,
        run_id: str | None = None,
        latest: bool = False,
        dataset_id: str | None = None,
        expand: bool = True,
        page_count: int = 255,
        model_framework: str | None = None,
    ) -> builtins.list[Model]:
        """Model versions that match every filter, newest first; ``latest`` keeps the newest of each name.

        Args:
            workspace: Where to look.
            name: Only this name.
            tags: ``["key", ["key", "value"]]``; all must match.
            properties: As ``tags``.
            run_id: Only models of this run.
            latest: Only the newest version of each name.
            dataset_id: Only models made with this data set.
            expand: Not used.
            page_count: Not used.
            model_framework: Only this framework.
        """
        views = workspace._client.models(
            workspace.name,
            name=name,
            tags=tags,
            properties=properties,
            run_id=run_id,
            framework=model_framework,
            latest=latest,
        )
        return [
            Model._of(workspace, view)
            for view in views
            if dataset_id is None or any(one.id == dataset_id for one in view.datasets)
        ]

    @as_sdk_errors(WebserviceException)
    def download(self, target_dir: str = ".", exist_ok: bool = False, exists_ok: bool | None = None) -> str:
        """Write its files below ``target_dir``, verified.

        Args:
            target_dir: Made when it does not exist.
            exist_ok: Replace files that are there.
            exists_ok: The old spelling of ``exist_ok``.

        Returns:
            The path of the file, or of the folder that was registered.

        Raises:
            WebserviceException: A file is there already.
        """
        replace = exist_ok if exists_ok is None else exists_ok
        found = Transfer(self._workspace._client, say).get(self._files, Path(target_dir), exist_ok=replace)
        return str(found)

    def update(
        self,
        tags: dict[str, str] | None = None,
        description: str | None = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: ResourceConfiguration | None = None,
        *,
        model_framework: str | None = None,
        model_framework_version: str | None = None,
    ) -> None:
        """Change what is given; ``tags`` replaces all tags, ``model_framework`` alone takes the files' version."""
        self._change(
            spec.UpdateModel(
                framework=model_framework,
                framework_version=model_framework_version,
                tags=None if tags is None else texts(tags),
                description=description,
                sample_input_dataset_id=id_of(sample_input_dataset) if sample_input_dataset else None,
                sample_output_dataset_id=id_of(sample_output_dataset) if sample_output_dataset else None,
                resource_configuration=resource_configuration._spec() if resource_configuration else None,
            )
        )

    def add_tags(self, tags: dict[str, str]) -> None:
        """Add tags, or change their values."""
        self._change(spec.UpdateModel(add_tags=texts(tags)))

    def remove_tags(self, tags: Sequence[str]) -> None:
        """Remove tags by key; a key that is not there is ignored."""
        self._change(spec.UpdateModel(remove_tags=[tags] if isinstance(tags, str) else [*tags]))

    def add_properties(self, properties: dict[str, str]) -> None:
        """Add properties.

        Raises:
            WebserviceException: A property is set already to another value.
        """
        self._change(spec.UpdateModel(add_properties=texts(properties)))

    def update_tags_properties(
        self,
        add_tags: dict[str, str] | None = None,
        remove_tags: Sequence[str] | None = None,
        add_properties: dict[str, str] | None = None,
    ) -> None:
        """All three at once, or none of them."""
        self._change(
            spec.UpdateModel(
                add_tags=texts(add_tags), remove_tags=[*(remove_tags or ())], add_properties=texts(add_properties)
            )
        )

    @as_sdk_errors(WebserviceException)
    def delete(self) -> None:
        """Delete this version; raises `WebserviceException` while a service uses it."""
        self._workspace._client.delete_model(self._workspace.name, self.id)

    @staticmethod
    def get_model_path(model_name: str, version: int | None = None, _workspace: Workspace | None = None) -> str:
        """The path of a deployed model's file or folder, as an entry script asks for it.

        Looks in ``azureml-models/<name>/<version>/`` below the current folder (the newest version when None), then
        for a file or folder called ``model_name``; with ``_workspace`` the model is downloaded into that layout.

        Raises:
            ModelNotFoundException: There is nothing of that name.
            WebserviceException: The version is not there, is no whole number, or holds not exactly one entry.
        """
        from .model_path import find_model_path

        return find_model_path(model_name, version, _workspace)

    def serialize(self) -> dict[str, Any]:
        """The model as a JSON object with SDK v1's keys."""
        return to_payload(self)

    @staticmethod
    @as_sdk_errors(WebserviceException)
    def deserialize(workspace: Workspace, model_payload: dict[str, Any]) -> Model:
        """The model that `serialize` described, as the workspace has it now.

        Raises:
            WebserviceException: The payload lacks ``id`` and ``name``.
            ModelNotFoundException: It is gone.
        """
        if not model_payload.get("id") and not model_payload.get("name"):
            raise InvalidInput("the model's payload has neither 'id' nor 'name'", where="model_payload")
        return Model(
            workspace,
            id=model_payload.get("id"),
            name=model_payload.get("name"),
            version=model_payload.get("version"),
        )

    @staticmethod
    @as_sdk_errors(WebserviceException)
    def deploy(
        workspace: Workspace,
        name: str,
        models: Sequence[Model | str],
        inference_config: InferenceConfig | None = None,
        deployment_config: WebserviceDeploymentConfiguration | None = None,
        deployment_target: Any = None,
        overwrite: bool = False,
        show_output: bool = False,
    ) -> Webservice:
        """Start a deployment and return its service at once; `Webservice.wait_for_deployment` waits.

        Args:
            workspace: Where the models are and the service will be.
            name: 3 to 32 lower-case letters, digits and ``-``.
            models: Registered models; also ids, or local paths that are registered first. May be empty.
            inference_config: Entry script and environment, or hooks; None where the model's framework is enough.
            deployment_config: Kind and size of the service; None means as for a container instance, unlimited.
            deployment_target: A cluster, for AKS.
            overwrite: Replace a service of that name.
            show_output: Say what is stored and sent.

        Raises:
            WebserviceException: The name is taken, or something is wrong that can be told before anything starts.
            ModelNotFoundException: A model is not registered (any more).
        """
        return deploying.deploy(**locals())

    @staticmethod
    def print_configuration(
        models: Sequence[Model],
        inference_config: InferenceConfig,
        deployment_config: WebserviceDeploymentConfiguration,
        deployment_target: Any = None,
    ) -> None:
        """Print what a deployment would take."""
        print_configuration(listed(models), inference_config, deployment_config, deployment_target)

    @staticmethod
    @as_sdk_errors(WebserviceException)
    def package(
        workspace: Workspace,
        models: Sequence[Model | str],
        inference_config: InferenceConfig | None = None,
        generate_dockerfile: bool = False,
        image_name: str | None = None,
        image_label: str | None = None,
    ) -> ModelPackage:
        """Start making an image of models, code and environment; `ModelPackage.wait_for_creation` waits.

        Args:
            workspace: Where the models are.
            models: Registered models; also ids, or local paths that are registered first. May be empty.
            inference_config: Entry script and environment.
            generate_dockerfile: A folder with a Dockerfile instead, for `ModelPackage.save`; no engine is needed.
            image_name: Name of the image; ``package`` when absent.
            image_label: Its label; the time when absent.

        Raises `WebserviceException` for what can be told to be wrong before anything starts.
        """
        from ..spec.package import CreatePackage
        from .package import ModelPackage

        body = CreatePackage(
            models=[registered(workspace, one) for one in listed(models)],
            inference=inference_config._spec(workspace) if inference_config else None,
            generate_dockerfile=generate_dockerfile,
            image_name=image_name,
            image_label=image_label,
        )
        made = workspace._client.create_package(workspace.name, body)
        environment = inference_config.environment if inference_config else None
        return ModelPackage(workspace, made.id, environment)

    @staticmethod
    @as_sdk_errors(WebserviceException)
    def profile(
        workspace: Workspace,
        profile_name: str,
        models: Sequence[Model | str],
        inference_config: InferenceConfig | None,
        input_dataset: Any,
        cpu: float | None = None,
        memory_in_gb: float | None = None,
        description: str | None = None,
        **more: Any,
    ) -> ModelProfile:
        """Start measuring what models need; `ModelProfile.wait_for_completion` waits.

        Args:
            workspace: Where the models are.
            profile_name: Its name; the newest of a name counts.
            models: Registered models; also ids, or local paths that are registered first.
            inference_config: Entry script and environment.
            input_dataset: A dataset (or its id) of one column, each row a request body; or of files, each one.
            cpu: The most cores to try.
            memory_in_gb: Memory limit while measuring, GB.
            description: Free text.
            **more: ``target`` is process or docker; ``add_tags`` go onto the models when it succeeds.

        Raises `WebserviceException` for what can be told to be wrong before anything starts.
        """
        from .profile import start

        ids = [registered(workspace, one) for one in listed(models)]
        sizes = (cpu, memory_in_gb)
        return start(workspace, profile_name, ids, inference_config, input_dataset, *sizes, description, **more)

    def __repr__(self) -> str:
        facts = f"name={self.name}, id={self.id}, version={self.version}, tags={self.tags}"
        return f"Model(workspace={self.workspace!r}, {facts}, properties={self.properties})"

    def _repr_html_(self) -> str:
        from .notebook import facts

        framework = " ".join(filter(None, (self.model_framework, self.model_framework_version)))
        shown = {"Id": self.id, "Framework": framework, "Created": f"{self.created_time:%Y-%m-%d %H:%M} UTC"}
        return facts(f"Model {self.name}", {**shown, "Tags": self.tags, "Properties": self.properties})

    @property
    def _files(self) -> builtins.list[spec.ManifestFile]:
        """Its files; a model that came from a list asks for them when they are needed."""
        if self._manifest is None:
            self._manifest = self._workspace._client.model(self._workspace.name, self.id).files
        return self._manifest

    @property
    def _workspace(self) -> Workspace:
        assert self.workspace is not None
        return self.workspace

    @as_sdk_errors(WebserviceException)
    def _change(self, body: spec.UpdateModel) -> None:
        self._fill(self._workspace._client.update_model(self._workspace.name, self.id, body))
