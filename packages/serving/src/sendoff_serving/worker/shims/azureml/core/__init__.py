"""The part of ``azureml.core`` that has a meaning while scoring."""

from .model import Model
from .run import Run
from .workspace import Workspace

VERSION = "1.61.0"
__version__ = VERSION

__all__ = ["VERSION", "Model", "Run", "Workspace"]
