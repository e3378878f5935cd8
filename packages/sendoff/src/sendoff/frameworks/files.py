"""Which of a model's files is the model, by its framework's own layout."""

from __future__ import annotations

from pathlib import PurePosixPath

from ..errors import InvalidInput, NotSupported
from ..spec.model import Model

PICKLES = (".pkl", ".pickle", ".joblib", ".jbl", ".sav", ".p", ".dill", ".z", ".gz", ".bz2", ".xz", ".lzma")
_XGBOOST = (".json", ".ubj", ".model", ".bin", ".xgb", ".deprecated")
_LIGHTGBM = (".txt", ".model", ".lgb", ".lgbm", ".json")
_PROGRAMS = (".pt", ".pt2", ".pth", ".ts", ".torchscript")
_FILES = {
    "ScikitLearn": (PICKLES, "a pickle (.pkl, .joblib, …)"),
    "Onnx": ((".onnx",), "an .onnx file"),
    "PyTorch": (_PROGRAMS, "a program of torch.export.save or torch.jit.save (.pt2, .pt)"),
    "XGBoost": ((*_XGBOOST, *PICKLES), f"a saved model ({', '.join(_XGBOOST)}) or a pickle"),
    "LightGBM": ((*_LIGHTGBM, *PICKLES), f"a saved model ({', '.join(_LIGHTGBM)}) or a pickle"),
}
"""Endings of the one file that a framework loads, and what it is."""


def is_pickle(path: str) -> bool:
    """Whether a file's name is one that pickles have."""
    return PurePosixPath(path).suffix.lower() in PICKLES


def main_file(model: Model) -> str:
    """The file or folder that a framework loads, relative to the model version's folder.

    Raises:
        InvalidInput: There is none, or more than one could be meant; names the files.
        NotSupported: The layout is one that this framework's model cannot be served from.
    """
    if model.framework == "MLflow":
        return _mlflow(model)
    if model.framework not in _FILES:
        return _saved_model(model)
    suffixes, what = _FILES[model.framework]
    found = [file.path for file in model.files if PurePosixPath(file.path).suffix.lower() in suffixes]
    return _only(model, found, what)


def _mlflow(model: Model) -> str:
    found = [file.path for file in model.files if PurePosixPath(file.path).name == "MLmodel"]
    if not found:
        raise InvalidInput(
            f"model {model.id} has no file MLmodel: it is no folder that MLflow saved",
            hint="Register the whole folder of mlflow.<flavour>.save_model(), or of the run's artifact.",
            field="models",
        )
    top = min(found, key=lambda path: path.count("/"))
    return str(PurePosixPath(top).parent)


def _saved_model(model: Model) -> str:
    found = [
        file.path
        for file in model.files
        if PurePosixPath(file.path).name in ("saved_model.pb", "saved_model.pbtxt", "saved_model.cpb")
    ]
    folders = sorted({str(PurePosixPath(path).parent) for path in found})
    if not folders:
        kept = [file.path for file in model.files if file.path.lower().endswith((".h5", ".keras", ".hdf5"))]
        if kept:
            raise NotSupported(
                f"model {model.id} is {kept[0]}, which is no SavedModel",
                hint="Write one with model.export('folder') (Keras 3) or model.save('folder') (Keras 2), and register "
                "that folder.",
            )
        raise InvalidInput(
            f"model {model.id} has no saved_model.pb: it is no SavedModel folder",
            hint="Register the folder that tf.saved_model.save() wrote.",
            field="models",
        )
    numbered = [folder for folder in folders if PurePosixPath(folder).name.isdigit()]
    if len(folders) > 1 and len(numbered) == len(folders):
        # TensorFlow Serving's layout: one folder for each version, and the newest is served.
        return max(folders, key=lambda folder: int(PurePosixPath(folder).name))
    return _only(model, folders, "a SavedModel folder")


def _only(model: Model, found: list[str], what: str) -> str:
    if len(found) == 1:
        return found[0]
    if not found and len(model.files) == 1:
        return model.files[0].path  # a name without an ending: the framework tells whether it can read it
    listed = ", ".join(sorted(found or [file.path for file in model.files])[:8])
    count = "more than one file that could be" if found else "no file that looks like"
    raise InvalidInput(
        f"model {model.id} of framework {model.framework} has {count} {what}: {listed}",
        hint="Register the one file alone, or choose with child_paths.",
        typed="Register the one file alone: sendoff model register -p PATH",
        field="models",
    )
