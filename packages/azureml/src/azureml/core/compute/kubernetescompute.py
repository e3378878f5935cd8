"""Attached Kubernetes clusters."""

from azureml._names import take

globals().update(take(__name__))
