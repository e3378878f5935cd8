"""The batch step."""

from azureml._names import take

globals().update(take(__name__))
