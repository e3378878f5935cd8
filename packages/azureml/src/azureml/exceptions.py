"""Exceptions by the names that scripts catch."""

from azureml._names import take

globals().update(take(__name__))
