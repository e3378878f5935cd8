"""Published pipelines and their parameters."""

from azureml._names import take

globals().update(
    take(
        PublishedPipeline="sendoff.sdk.pipelines.pipeline",
        PipelineParameter="sendoff.sdk.pipelines.data",
        OutputPortBinding="sendoff.sdk.pipelines.data",
        InputPortBinding="sendoff.sdk.pipelines.data",
    )
)
