"""Conda and pip packages of an environment."""

from azureml._names import take

globals().update(take(__name__))
