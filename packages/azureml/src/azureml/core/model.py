"""Models and how to call them."""

from azureml._names import take

globals().update(
    take(
        Model="sendoff.sdk.model",
        InferenceConfig="sendoff.sdk.services.inference_config",
        ModelPackage="sendoff.sdk.package",
        ResourceConfiguration="sendoff.sdk.resource_configuration",
        WebserviceException="sendoff.sdk.exceptions",
        ModelNotFoundException="sendoff.sdk.exceptions",
    )
)
