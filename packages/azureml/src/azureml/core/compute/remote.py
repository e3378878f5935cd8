"""Machines of one's own."""

from azureml._names import take

globals().update(take(__name__))
