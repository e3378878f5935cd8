"""Sendoff: from a trained model's file to an answered request.

The SDK's names are here and are loaded when they are used: importing this package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import SendoffError as SendoffError
    from .sdk.data.dataset import Dataset as Dataset
    from .sdk.data.datastore import Datastore as Datastore
    from .sdk.environments.conda_dependencies import CondaDependencies as CondaDependencies
    from .sdk.environments.environment import Environment as Environment
    from .sdk.model import Model as Model
    from .sdk.profile import ModelProfile as ModelProfile
    from .sdk.resource_configuration import ResourceConfiguration as ResourceConfiguration
    from .sdk.services.aci import AciWebservice as AciWebservice
    from .sdk.services.aks import AksWebservice as AksWebservice
    from .sdk.services.inference_config import InferenceConfig as InferenceConfig
    from .sdk.services.local import LocalWebservice as LocalWebservice
    from .sdk.services.webservice import Webservice as Webservice
    from .sdk.workspace import Workspace as Workspace

__version__ = "0.1.0"

_PLACES = {
    "AciWebservice": "sdk.services.aci",
    "AksWebservice": "sdk.services.aks",
    "CondaDependencies": "sdk.environments.conda_dependencies",
    "Dataset": "sdk.data.dataset",
    "Datastore": "sdk.data.datastore",
    "Environment": "sdk.environments.environment",
    "InferenceConfig": "sdk.services.inference_config",
    "LocalWebservice": "sdk.services.local",
    "Model": "sdk.model",
    "ModelProfile": "sdk.profile",
    "ResourceConfiguration": "sdk.resource_configuration",
    "SendoffError": "errors",
    "Webservice": "sdk.services.webservice",
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
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__all__", "__doc__", "__version__"])
