"""What all datasets have in common."""

from azureml._names import take

globals().update(take(__name__))
