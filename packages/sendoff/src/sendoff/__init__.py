"""Sendoff: from a trained model's file to an answered request.

The SDK's names are here and are loaded when they are used: importing this package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import SendoffError as SendoffError
    from .sdk.aci import AciWebservice as AciWebservice
    from .sdk.aks import AksWebservice as AksWebservice
    from .sdk.conda_dependencies import CondaDependencies as CondaDependencies
    from .sdk.dataset import Dataset as Dataset
    from .sdk.datastore import Datastore as Datastore
    from .sdk.environment import Environment as Environment
    from .sdk.inference_config import InferenceConfig as InferenceConfig
    from .sdk.local import LocalWebservice as LocalWebservice
    from .sdk.model import Model as Model
    from .sdk.profile import ModelProfile as ModelProfile
    from .sdk.resource_configuration import ResourceConfiguration as ResourceConfiguration
    from .sdk.webservice import Webservice as Webservice
    from .sdk.workspace import Workspace as Workspace

    __version__: str

_PLACES = {
    "AciWebservice": "sdk.aci",
    "AksWebservice": "sdk.aks",
    "CondaDependencies": "sdk.conda_dependencies",
    "Dataset": "sdk.dataset",
    "Datastore": "sdk.datastore",
    "Environment": "sdk.environment",
    "InferenceConfig": "sdk.inference_config",
    "LocalWebservice": "sdk.local",
    "Model": "sdk.model",
    "ModelProfile": "sdk.profile",
    "ResourceConfiguration": "sdk.resource_configuration",
    "SendoffError": "errors",
    "Webservice": "sdk.webservice",
    "Workspace": "sdk.workspace",
}

__all__ = [
    "AciWebservice",
    "AksWebservice",
    "CondaDependencies",
    "Dataset",
    "Datastore",
    "Environment",
    "InferenceConfig",
    "LocalWebservice",
    "Model",
    "ModelProfile",
    "ResourceConfiguration",
    "SendoffError",
    "Webservice",
    "Workspace",
]


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        from importlib import import_module

        found = getattr(import_module(f".{_PLACES[name]}", __name__), name)
        globals()[name] = found
        return found
    if name == "__version__":
        from importlib.metadata import version

        return version("sendoff")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
