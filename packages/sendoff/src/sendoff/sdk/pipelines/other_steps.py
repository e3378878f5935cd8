"""Steps of which only the name is known: values as given."""

from __future__ import annotations

from typing import Any

from .steps import PipelineStep


class _Given(PipelineStep):
    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(given.pop("name", args[0] if args and isinstance(args[0], str) else None), **given)


class AdlaStep(_Given):
    """SDK v1's step of that name."""

    step_type = "AdlaStep"


class AutoMLStep(_Given):
    """SDK v1's step of that name."""

    step_type = "AutoMLStep"


class AzureBatchStep(_Given):
    """SDK v1's step of that name."""

    step_type = "AzureBatchStep"


class CommandStep(_Given):
    """SDK v1's step of that name."""

    step_type = "CommandStep"


class DataTransferStep(_Given):
    """SDK v1's step of that name."""

    step_type = "DataTransferStep"


class DatabricksStep(_Given):
    """SDK v1's step of that name."""

    step_type = "DatabricksStep"


class EstimatorStep(_Given):
    """SDK v1's step of that name."""

    step_type = "EstimatorStep"


class HyperDriveStep(_Given):
    """SDK v1's step of that name."""

    step_type = "HyperDriveStep"


class HyperDriveStepRun(_Given):
    """SDK v1's step of that name."""

    step_type = "HyperDriveStepRun"


class ModuleStep(_Given):
    """SDK v1's step of that name."""

    step_type = "ModuleStep"


class MpiStep(_Given):
    """SDK v1's step of that name."""

    step_type = "MpiStep"


class RScriptStep(_Given):
    """SDK v1's step of that name."""

    step_type = "RScriptStep"


class SynapseSparkStep(_Given):
    """SDK v1's step of that name."""

    step_type = "SynapseSparkStep"
