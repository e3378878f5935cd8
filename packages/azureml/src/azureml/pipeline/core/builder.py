"""What goes from step to step."""

from azureml._names import take

globals().update(
    take(
        PipelineData="sendoff.sdk.pipelines.data",
        PipelineStep="sendoff.sdk.pipelines.steps",
    )
)
