"""Ways to sign in."""

from azureml._names import take

globals().update(take(__name__))
