"""FPGA."""

from azureml._names import take

globals().update(
    take(
        AccelOnnxConverter="sendoff.sdk.absent",
        AccelContainerImage="sendoff.sdk.absent",
        PredictionClient="sendoff.sdk.absent",
    )
)
