"""Models and how to call them."""

from azureml._names import take

globals().update(take(__name__))
