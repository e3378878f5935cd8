"""Steps of which only the name is known: values as given."""

from __future__ import annotations

from typing import Any

from .steps import PipelineStep


class _Given(PipelineStep):
    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(given.pop("name", args[0] if args and isinstance(args[0], str) else None), **given)


_NAMES = """
    AdlaStep AutoMLStep AzureBatchStep CommandStep DataTransferStep DatabricksStep EstimatorStep HyperDriveStep
    HyperDriveStepRun ModuleStep MpiStep RScriptStep SynapseSparkStep
"""
for _name in _NAMES.split():
    _members = {"__doc__": "SDK v1's step of that name.", "__module__": __name__, "step_type": _name}
    globals()[_name] = type(_name, (_Given,), _members)
