"""`azureml.core`: workspaces, models, environments, services, runs and computes."""

from azureml._names import take

VERSION = "1.61.0"
__version__ = VERSION

globals().update(take(__name__))
