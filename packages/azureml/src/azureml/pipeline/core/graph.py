"""Published pipelines and their parameters."""

from azureml._names import take

globals().update(take(__name__))
