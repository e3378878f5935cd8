"""The data collector of entry scripts."""

from azureml._names import take

globals().update(take(__name__))
