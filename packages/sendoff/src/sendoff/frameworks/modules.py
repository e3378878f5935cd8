"""Which packages provide what a pickle imports (its imports are known from the scan at registration)."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from ..errors import InvalidInput

PACKAGES = {
    "catboost": "catboost",
    "category_encoders": "category-encoders",
    "cloudpickle": "cloudpickle",
    "dill": "dill",
    "feature_engine": "feature-engine",
    "hdbscan": "hdbscan",
    "imblearn": "imbalanced-learn",
    "interpret": "interpret",
    "lightgbm": "lightgbm",
    "lightning": "lightning",
    "mlxtend": "mlxtend",
    "networkx": "networkx",
    "patsy": "patsy",
    "polars": "polars",
    "pyod": "pyod",
    "pygam": "pygam",
    "shap": "shap",
    "six": "six",
    "skl2onnx": "skl2onnx",
    "sklearn_pandas": "sklearn-pandas",
    "skopt": "scikit-optimize",
    "skorch": "skorch",
    "sktime": "sktime",
    "statsmodels": "statsmodels",
    "torch": "torch",
    "umap": "umap-learn",
    "xgboost": "xgboost",
}
"""Import name to package, of the libraries whose objects are found in scikit-learn's pickles."""

_BROUGHT = frozenset({"sklearn", "numpy", "scipy", "pandas", "joblib", "_joblib", "threadpoolctl", "narwhals"})
_OLD_NAMES = frozenset({"__builtin__", "copy_reg", "__mp_main__", "_codecs"})


def packages_for(imports: Iterable[str], beside: Iterable[str], *, where: str, hooks: bool) -> list[str]:
    """The packages that a pickle needs beyond scikit-learn's own.

    Args:
        imports: What it imports, as ``module.name``.
        beside: Import names that the user's own files provide.
        where: The model, for the error.
        hooks: Whether the user gave a hooks file, whose names stand for those of ``__main__``.

    Raises:
        InvalidInput: Nothing known provides a module; names it and what to do.
    """
    own = set(beside)
    needed: set[str] = set()
    for name in sorted(set(imports)):
        root = name.partition(".")[0]
        if root == "__main__":
            if not hooks:
                raise InvalidInput(
                    f"{where}: the pickle needs {name}, which the training script itself defined",
                    hint="Define it in a hooks file (docs/no-code.md) and deploy with InferenceConfig(entry_script=…) "
                    "or --es FILE.",
                    field="models",
                    imported=name,
                )
            continue
        if root in own or root in _BROUGHT or root in _OLD_NAMES or root in sys.stdlib_module_names:
            continue
        if root not in PACKAGES:
            raise InvalidInput(
                f"{where}: the pickle needs the module {root!r} (it imports {name}), and no package that is known "
                "for it would be installed",
                hint="Give an environment that has it beside a hooks file, or put the module beside the hooks "
                "(docs/no-code.md); or deploy with an entry script of your own.",
                field="models",
                imported=name,
            )
        needed.add(PACKAGES[root])
    return sorted(needed)
