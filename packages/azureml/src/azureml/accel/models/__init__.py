"""FPGA."""

from azureml._names import take

globals().update(
    take(
        Resnet50="sendoff.sdk.absent",
        Resnet152="sendoff.sdk.absent",
        Densenet121="sendoff.sdk.absent",
        Vgg16="sendoff.sdk.absent",
        SsdVgg="sendoff.sdk.absent",
        QuantizedResnet50="sendoff.sdk.absent",
        QuantizedResnet152="sendoff.sdk.absent",
        QuantizedDensenet121="sendoff.sdk.absent",
        QuantizedVgg16="sendoff.sdk.absent",
        QuantizedSsdVgg="sendoff.sdk.absent",
    )
)
