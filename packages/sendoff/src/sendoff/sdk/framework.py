"""The frameworks that a model can be registered with."""

from __future__ import annotations


class Framework:
    """Names for ``model_framework`` (spec/surface.md sec. 2.4); all but the first two need no entry script."""

    CUSTOM = "Custom"
    MULTI = "Multi"
    LIGHTGBM = "LightGBM"
    MLFLOW = "MLflow"
    ONNX = "Onnx"
    PYTORCH = "PyTorch"
    SCIKITLEARN = "ScikitLearn"
    TENSORFLOW = "TensorFlow"
    TFKERAS = "TfKeras"
    XGBOOST = "XGBoost"
