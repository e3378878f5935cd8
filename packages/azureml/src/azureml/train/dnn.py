"""Scripts with their arguments."""

from azureml._names import take

globals().update(
    take(
        TensorFlow="sendoff.sdk.runs.estimators",
        PyTorch="sendoff.sdk.runs.estimators",
        Keras="sendoff.sdk.runs.estimators",
        Chainer="sendoff.sdk.runs.estimators",
        Mpi="sendoff.sdk.runs.estimators",
        Nccl="sendoff.sdk.runs.estimators",
        Gloo="sendoff.sdk.runs.estimators",
        ParameterServer="sendoff.sdk.runs.estimators",
    )
)
