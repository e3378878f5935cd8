"""Data sets as arguments of training scripts."""

from azureml._names import take

globals().update(take(__name__))
