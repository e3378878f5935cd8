"""Telemetry of SDK v1: nothing is collected."""

from azureml._names import take

globals().update(take(__name__))
