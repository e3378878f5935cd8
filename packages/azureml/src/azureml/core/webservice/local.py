"""Services on this machine."""

from azureml._names import take

globals().update(take(__name__))
