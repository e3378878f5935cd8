"""``from azureml_inference_server_http.api.aml_response import AMLResponse``."""

from sendoff_serving.worker.http_response import AMLResponse

__all__ = ["AMLResponse"]
