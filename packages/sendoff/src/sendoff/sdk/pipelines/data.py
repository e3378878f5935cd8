"""What goes from step to step: values as given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(eq=False, repr=False)
class PipelineParameter:
    """A value that a submission may change."""

    name: str
    default_value: Any


class InputPortBinding:
    """An input of a step."""

    def __init__(self, name: str, bind_object: Any = None, **given: Any) -> None:
        self.name = name
        self.bind_object = bind_object
        vars(self).update(given)


class OutputPortBinding(InputPortBinding):
    """An output of a step."""


class PipelineData:
    """What a step writes and a later one reads."""

    def __init__(
        self,
        name: str,
        datastore: Any = None,
        output_name: str | None = None,
        output_mode: str = "mount",
        output_path_on_compute: str | None = None,
        output_overwrite: bool | None = None,
        data_type: str | None = None,
        is_directory: bool | None = None,
        pipeline_output_name: str | None = None,
        training_output: Any = None,
    ) -> None:
        self._name = name
        self._datastore = datastore
        self._data_type = data_type
        self.output_name = output_name or name
        self.output_mode = output_mode
        self.output_path_on_compute = output_path_on_compute
        self.output_overwrite = output_overwrite
        self.is_directory = is_directory
        self.pipeline_output_name = pipeline_output_name
        self.training_output = training_output

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @property
    def datastore(self) -> Any:
        """Where it would be kept."""
        return self._datastore

    @property
    def data_type(self) -> str | None:
        """Its type."""
        return self._data_type

    def as_dataset(self) -> PipelineData:
        """Itself."""
        return self

    def parse_delimited_files(self, *_: Any, **__: Any) -> PipelineData:
        """Itself."""
        return self

    def as_download(
        self, input_name: str | None = None, path_on_compute: str | None = None, overwrite: bool | None = None
    ) -> InputPortBinding:
        """As an input that is downloaded."""
        return self.create_input_binding(input_name, "download", path_on_compute, overwrite)

    def as_input(self, input_name: str) -> InputPortBinding:
        """As an input of that name."""
        return self.create_input_binding(input_name)

    def as_mount(self, input_name: str | None = None) -> InputPortBinding:
        """As an input that is mounted."""
        return self.create_input_binding(input_name, "mount")

    def create_input_binding(
        self,
        input_name: str | None = None,
        mode: str | None = None,
        path_on_compute: str | None = None,
        overwrite: bool | None = None,
    ) -> InputPortBinding:
        """As an input."""
        return InputPortBinding(
            input_name or self._name, self, mode=mode, path_on_compute=path_on_compute, overwrite=overwrite
        )

    def get_env_variable_name(self) -> str:
        """The variable that a script would find its path in."""
        return f"AZUREML_DATAREFERENCE_{self._name}"
