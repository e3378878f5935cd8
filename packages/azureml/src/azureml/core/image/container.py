"""Images of the oldest form."""

from azureml._names import take

globals().update(take(__name__))
