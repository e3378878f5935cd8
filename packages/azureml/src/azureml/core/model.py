"""Models and how to call them."""

from azureml._names import take

globals().update(
    take(
        Model="sendoff.sdk.model",
        InferenceConfig="sendoff.sdk.inference_config",
    )
)
