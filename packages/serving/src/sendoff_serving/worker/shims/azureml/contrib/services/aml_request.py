"""``from azureml.contrib.services.aml_request import AMLRequest, rawhttp``."""

from sendoff_serving.worker.http_request import AMLRequest, rawhttp

__all__ = ["AMLRequest", "rawhttp"]
