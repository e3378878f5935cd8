"""What to write when a model file cannot be read: the causes that are known by what the reading library raises.

Most models that fail in ``init()`` were written by another release of some library than the environment has. The
library says so in words of its own, or not at all (``KeyError: 30``). One table tells what each means.
"""

import re
import sys
from typing import Any, List, NamedTuple, Optional


class Known(NamedTuple):
    """One cause.

    Attributes:
        raised: pattern of the exception, as Python prints its last line.
        cause: what is the matter with the file.
        write: what to write, and where.
        example: an exception that has been seen.
        package: whose release in the environment is told; "" for none, "python" for the interpreter.
        within: pattern of a module whose code raised it, where the words alone could be anybody's; "" for any.
    """

    raised: str
    cause: str
    write: str
    example: str
    package: str = ""
    within: str = ""


_SKLEARN = "pin scikit-learn to the release that wrote the model (scikit-learn==X.Y.Z), or save the model again"
_NUMPY_2 = "write numpy>=2 in the environment, or save the model again with numpy<2"
_FETCH = "fetch the file itself (git lfs pull) and register the model again"

KNOWN = (
    # The file itself
    Known(
        r"UnpicklingError: invalid load key, 'v'",
        "the model file is a pointer of Git LFS and not the model (it begins with 'version https://git-lfs')",
        _FETCH,
        "_pickle.UnpicklingError: invalid load key, 'v'.",
    ),
    Known(
        r"KeyError: 118$",
        "the model file is a pointer of Git LFS and not the model (it begins with 'v')",
        _FETCH,
        "KeyError: 118",
        within="pickle|joblib",
    ),
    Known(
        r"UnpicklingError: invalid load key, '<'|KeyError: 60$",
        "the model file is a page of HTML or XML and not the model: what a download got was an error or a login",
        "fetch the file again and look at its beginning before it is registered",
        "_pickle.UnpicklingError: invalid load key, '<'.",
        within="",
    ),
    Known(
        r"EOFError: (Ran out of input|No data left in file)?$|UnpicklingError: pickle data was truncated",
        "the model file is empty or cut off",
        "save and register the model again; a file that is still open when it is copied is not whole",
        "EOFError: Ran out of input",
    ),
    # The pickle
    Known(
        r"ValueError: unsupported pickle protocol: [5-9]",
        "the model was written with a pickle protocol that this Python does not know (5 is of Python 3.8)",
        "write python=3.8 or newer in the environment, or save the model with protocol=4",
        "ValueError: unsupported pickle protocol: 5",
        "python",
    ),
    Known(
        r"KeyError: \d+$",
        "the model was written by a newer joblib than the environment has (files of joblib 1.2 and newer have marks "
        "that 1.1 does not know)",
        "write joblib>=1.2 in the environment (Python 3.7 and newer can have it), or save the model with joblib<1.2",
        "KeyError: 30",
        "joblib",
        "joblib|pickle",
    ),
    Known(
        r"UnicodeDecodeError: 'ascii' codec can't decode byte",
        "the model was written by Python 2",
        "load it with pickle.load(file, encoding='latin1'), or save it again with Python 3",
        "UnicodeDecodeError: 'ascii' codec can't decode byte 0xe0 in position 0: ordinal not in range(128)",
        within="pickle|joblib|numpy",
    ),
    Known(
        r"TypeError: (code\(\)|code expected at least|an integer is required \(got type bytes\))|bad marshal data",
        "the model holds functions that another release of Python has compiled (cloudpickle, dill, Keras lambdas)",
        "write the release of Python that wrote the model in the environment (python=3.X)",
        "TypeError: code() takes at most 15 arguments (16 given)",
        "python",
    ),
    # numpy
    Known(
        r"No module named 'numpy\._core",
        "the model was written with numpy 2, and the environment has an older one",
        _NUMPY_2,
        "ModuleNotFoundError: No module named 'numpy._core'",
        "numpy",
    ),
    Known(
        r"numpy\.dtype size changed|numpy\.ndarray size changed|_ARRAY_API not found|compiled using NumPy 1\.x",
        "a package of the environment was built for another numpy than is installed",
        "write numpy<2 in the environment, or a newer release of the package that is named above",
        "ValueError: numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header, got 88",
        "numpy",
    ),
    Known(
        r"is not a known BitGenerator module|__(randomstate|bit_generator|generator)_ctor\(\) takes",
        "the model holds a random generator that another numpy has written",
        "pin numpy to the release that wrote the model (numpy==X.Y.Z)",
        "ValueError: <class 'numpy.random._mt19937.MT19937'> is not a known BitGenerator module.",
        "numpy",
    ),
    Known(
        r"module 'numpy' has no attribute '(bool|int|float|object|str|complex|typeDict|NaN|Inf|unicode_|float_)'",
        "a package of the environment, or the script, uses a name that numpy has dropped (in 1.24, or in 2.0)",
        "write numpy<1.24 in the environment (numpy<2 for NaN, Inf, unicode_ and float_)",
        "AttributeError: module 'numpy' has no attribute 'bool'.",
        "numpy",
    ),
    # scikit-learn
    Known(
        r"No module named '(sklearn\.(?!externals)[\w.]+|_loss)'",
        "the model was written by a release of scikit-learn that has its modules at other places",
        _SKLEARN,
        "ModuleNotFoundError: No module named 'sklearn.linear_model.base'",
        "sklearn",
    ),
    Known(
        r"Can't get attribute '\w+' on <module 'sklearn[.\w]*'",
        "the model was written by another release of scikit-learn, which has classes that this one has not",
        _SKLEARN,
        "AttributeError: Can't get attribute '_RemainderColsList' on <module 'sklearn.compose._column_transformer'>",
        "sklearn",
    ),
    Known(
        r"node array from the pickle has an incompatible dtype|Buffer dtype mismatch|__cinit__\(\) takes exactly",
        "the model holds trees that another release of scikit-learn has written",
        _SKLEARN,
        "ValueError: node array from the pickle has an incompatible dtype:",
        "sklearn",
    ),
    Known(
        r"has no attribute '(_fill_dtype|_parameter_constraints|_name_to_fitted_passthrough|n_features_in_"
        r"|monotonic_cst|_sklearn_output_config)'",
        "the model was written by another release of scikit-learn, whose objects lack what this one looks for",
        _SKLEARN,
        "AttributeError: 'SimpleImputer' object has no attribute '_fill_dtype'",
        "sklearn",
    ),
    # pandas
    Known(
        r"No module named 'pandas\.(core\.indexes\.numeric|core\.indexes\.frozen|indexes)'",
        "the model holds a frame or an index that an older pandas has written",
        "write pandas<2 in the environment, or save the model again",
        "ModuleNotFoundError: No module named 'pandas.core.indexes.numeric'",
        "pandas",
    ),
    Known(
        r"Can't get attribute '(_unpickle_block|new_block|_unpickle_\w+)' on <module 'pandas",
        "the model holds a frame that a newer pandas has written",
        "pin pandas to the release that wrote the model (pandas>=1.3 for most of these)",
        "AttributeError: Can't get attribute '_unpickle_block' on <module 'pandas._libs.internals'>",
        "pandas",
    ),
    # Boosting
    Known(
        r"'XGB\w+' object has no attribute '(use_label_encoder|gpu_id|callbacks|_le|enable_categorical|feature_types|"
        r"predictor|early_stopping_rounds)'",
        "the pickled model was written by another release of xgboost",
        "pin xgboost to the release that wrote the model, or save it with save_model(), which other releases read",
        "AttributeError: 'XGBClassifier' object has no attribute 'use_label_encoder'",
        "xgboost",
    ),
    Known(
        r"LightGBMError: (Unknown model format|Model format error)",
        "the file is no model of LightGBM, or of a newer release",
        "pin lightgbm to the release that wrote the model (lightgbm==X.Y.Z)",
        "lightgbm.basic.LightGBMError: Unknown model format or submodel type in model file model.txt",
        "lightgbm",
    ),
    # Deep learning
    Known(
        r"Attempting to deserialize object on (a CUDA|CUDA) device",
        "the model was saved on a GPU, and this machine has none that PyTorch can use",
        "load it with torch.load(path, map_location='cpu')",
        "RuntimeError: Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False.",
        "torch",
    ),
    Known(
        r"Weights only load failed",
        "since PyTorch 2.6 torch.load reads weights alone, and this file holds a whole model",
        "load it with torch.load(path, weights_only=False) if you trust the file, or write torch<2.6",
        "_pickle.UnpicklingError: Weights only load failed. This file can still be loaded",
        "torch",
    ),
    Known(
        r"PytorchStreamReader failed|Invalid magic number; corrupt file",
        "the file is not whole, or not what torch.load reads",
        "save and register it again; a TorchScript file is read by torch.jit.load",
        "RuntimeError: PytorchStreamReader failed reading zip archive: failed finding central directory",
        "torch",
    ),
    Known(
        r"File format not supported: filepath=|Keras 3 only supports|Could not deserialize class|Unrecognized keyword "
        r"arguments passed to \w+: \{'batch_shape'",
        "the model was saved by another Keras: release 3 (TensorFlow 2.16) does not read all files of release 2, nor "
        "the other way round",
        "write tensorflow<2.16 for a model of Keras 2, or save it again as .keras",
        "ValueError: File format not supported: filepath=model. Keras 3 only supports V3 `.keras` files",
        "keras",
    ),
    Known(
        r"Unsupported model IR version|Opset \d+ is under development|ai\.onnx opset \d+ is only supported",
        "the model was written by a newer onnx than this onnxruntime reads",
        "write a newer onnxruntime in the environment, or export the model with a lower opset and IR version",
        "Fail: [ONNXRuntimeError] : 1 : FAIL : Unsupported model IR version: 11, max supported IR version: 9",
        "onnxruntime",
    ),
)


def hint_for(error: BaseException) -> Optional[str]:
    """Say why a model could not be read and what to write; None for what is not in the table."""
    at: Optional[BaseException] = error
    for _ in range(5):
        if at is None:
            return None
        row = find("%s: %s" % (type(at).__name__, at), _modules_of(at))
        if row is not None:
            has = _installed(row.package)
            return "%s%s: %s" % (row.cause, " (%s)" % has if has else "", row.write)
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return None


def find(text: str, modules: List[str]) -> Optional[Known]:
    """Return the row for an exception's last line and the modules whose code it came through."""
    for row in KNOWN:
        if re.search(row.raised, text) and (not row.within or any(re.match(row.within, name) for name in modules)):
            return row
    return None


def _modules_of(error: BaseException) -> List[str]:
    found = []
    trace: Any = error.__traceback__
    while trace is not None:
        found.append(str(trace.tb_frame.f_globals.get("__name__", "")))
        trace = trace.tb_next
    return found


def _installed(package: str) -> str:
    """Say what release the environment has."""
    if package == "python":
        return "the environment has Python %d.%d" % sys.version_info[:2]
    version = getattr(sys.modules.get(package), "__version__", None)
    return "the environment has %s %s" % (package, version) if version else ""
