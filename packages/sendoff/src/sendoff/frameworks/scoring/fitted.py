"""What a fitted estimator of scikit-learn, or of a library in its manner, states of the columns that it takes."""

import warnings
from typing import Any, Dict, Iterator, List, Optional, Tuple

import numpy as np

from . import booster_columns
from .columns import Column, Columns, Records, is_missing

TAKES_NAMES = ("ColumnTransformer", "FunctionTransformer", "DataFrameMapper")
TAKES_TEXTS = ("CountVectorizer", "TfidfVectorizer", "HashingVectorizer")
TAKES_OBJECTS = ("DictVectorizer",)
_MEMBERS = ("steps", "transformers_", "transformer_list", "estimators_")
_INNER = ("best_estimator_", "estimator_", "regressor_", "classifier_", "_preprocessor")
_NAMES = ("feature_names_in_", "feature_names_")
_SKLEARN = ("sklearn", "numpy", "scipy", "xgboost", "lightgbm")


def attribute(model: Any, name: str) -> Any:
    """Return an attribute; None where there is none, or where it is a property that raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return getattr(model, name, None)
    except Exception:
        return None


def parts(model: Any, depth: int = 0) -> Iterator[Any]:
    """The estimators that a model is made of, from the one that meets the rows first; without the model itself."""
    if depth > 6:
        return
    for part in _inner(model):
        yield part
        for below in parts(part, depth + 1):
            yield below


def _inner(model: Any) -> List[Any]:
    found = [attribute(model, name) for name in _INNER]
    for name in _MEMBERS:
        members = attribute(model, name)
        if isinstance(members, (list, tuple)):
            found += [one[1] if isinstance(one, tuple) else one for one in members]
            break
    for one in attribute(model, "calibrated_classifiers_") or []:
        found.append(attribute(one, "estimator") or attribute(one, "base_estimator"))
    return [one for one in found if not _is_leaf(one)]


def _is_leaf(part: Any) -> bool:
    """No part, the word for one that passes or drops, or one of a forest's many trees."""
    return part is None or isinstance(part, (str, int)) or type(part).__module__.startswith("sklearn.tree")


def foreign(part: Any) -> bool:
    """Whether a part is not of the libraries whose ways are known."""
    return type(part).__module__.partition(".")[0] not in _SKLEARN


def columns_of(model: Any) -> Columns:
    """Return what a model wants of its input.

    Raises:
        ValueError: a part of it wants categories of columns that are not the model's own.
    """
    names, count = _names_and_count(model)
    if names is None and count is None and any(type(part).__name__ in TAKES_OBJECTS for part in [model, *parts(model)]):
        return Records()
    size = len(names) if names is not None else count
    known: Dict[int, Column] = {}
    for at, column in _known(model, names, size):
        first = known.setdefault(at, column)
        if first.categories is None and column.categories is not None:
            known[at] = Column(column.categories, null=first.null)  # an imputer before an encoder
            known[at].nullable = True
    return Columns(names, count, known, names is None and _by_name(model))


def _names_and_count(model: Any) -> Tuple[Optional[List[str]], Optional[int]]:
    """Return the names and the number of the columns that the model was fitted with, as far as it knows."""
    for part in [model] + list(parts(model))[:3]:
        for name in _NAMES:
            names = attribute(part, name)
            if names is not None and type(part).__name__ not in TAKES_OBJECTS:
                return [str(one) for one in names], None
        count = attribute(part, "n_features_in_")
        if isinstance(count, (int, np.integer)):
            return None, int(count)
    for part in [model] + list(parts(model)):  # scikit-learn before 0.24
        count = attribute(part, "n_features_") or attribute(part, "_n_features") or attribute(part, "n_features")
        if isinstance(count, (int, np.integer)):
            return None, int(count)
        coefficients = attribute(part, "coef_")
        if hasattr(coefficients, "shape") and type(part).__module__.startswith("sklearn.linear_model"):
            return None, int(coefficients.shape[-1])
        if type(part).__name__ in TAKES_TEXTS + TAKES_NAMES + TAKES_OBJECTS:
            return None, None
        if not any(hasattr(part, name) for name in ("steps", "best_estimator_", "estimators_")):
            break  # only what meets the rows first tells
    return None, None


def _by_name(model: Any) -> bool:
    """Whether what meets the rows first picks columns by name alone, so that their order is of no concern."""
    for part in [model] + list(parts(model)):
        if type(part).__name__ == "DataFrameMapper":
            return True
        chosen = attribute(part, "transformers_")
        if chosen is not None:
            picked = [columns for _, inner, columns in chosen if inner != "drop" or not isinstance(inner, str)]
            return all(
                isinstance(columns, str)
                or (isinstance(columns, (list, tuple, np.ndarray)) and all(isinstance(one, str) for one in columns))
                for columns in picked
            )
        if attribute(part, "formula") is not None or hasattr(
            attribute(attribute(part, "model"), "data"), "design_info"
        ):
            return True  # statsmodels, from a formula
        if not any(hasattr(part, name) for name in ("steps", "best_estimator_")):
            return False
    return False


def _known(model: Any, names: Optional[List[str]], count: Optional[int]) -> Iterator[Tuple[int, Column]]:
    """What encoders, imputers and boosters within the model know of the columns that come in, by place."""
    if count is None:
        return
    for part, places in _first(model, list(range(count)), names):
        for at, column in _stated(part, places):
            yield at, column
    for part in [model] + list(parts(model)):
        module = type(part).__module__.partition(".")[0]
        if module not in ("lightgbm", "xgboost"):
            continue
        stated = booster_columns.of_estimator(part)
        if not stated.known:
            continue
        own = names if names is not None else [str(at) for at in range(count)]
        theirs = stated.names if stated.names is not None else [str(at) for at in range(stated.count or 0)]
        if part is not model and not any(theirs[at] in own for at in stated.known):
            raise ValueError(
                "%s within the model was fitted with categories of pandas in the columns %s, which are none of the "
                "model's own: what they are made of is not stated. Serve it with an entry script."
                % (type(part).__name__, ", ".join(theirs[at] for at in stated.known))
            )
        for at, column in stated.known.items():
            if part is model:
                yield at, column
            elif theirs[at] in own:
                yield own.index(theirs[at]), column


def _first(
    model: Any, places: List[int], names: Optional[List[str]], depth: int = 0
) -> Iterator[Tuple[Any, List[int]]]:
    """The parts that meet the model's own columns, each with the places of those that it is given."""
    if depth > 6 or isinstance(model, str) or model is None:
        return
    yield model, places
    steps = attribute(model, "steps")
    if isinstance(steps, list):
        for _, step in steps:
            if step is None or isinstance(step, str):
                continue  # a step that passes all through
            for found in _first(step, places, names, depth + 1):
                yield found
            if not _keeps_values(step):
                break
        return
    chosen = attribute(model, "transformers_")
    if chosen is not None:
        for _, inner, columns in chosen:
            picked = _picked(columns, places, names)
            if picked:
                for found in _first(inner, picked, names, depth + 1):
                    yield found
        return
    if attribute(model, "estimators_features_") is None:  # bagging gives each a choice of the columns
        for inner in _inner(model):
            for found in _first(inner, places, names, depth + 1):
                yield found


def _keeps_values(step: Any) -> bool:
    """Whether a step changes missing values alone, so that the next one tells of the columns too."""
    return type(step).__name__ == "SimpleImputer" and not attribute(step, "add_indicator")


def _picked(columns: Any, places: List[int], names: Optional[List[str]]) -> List[int]:
    if isinstance(columns, slice):
        if any(isinstance(one, str) for one in (columns.start, columns.stop)):
            return []
        return places[columns]
    if isinstance(columns, (str, int, np.integer)):
        columns = [columns]
    if not hasattr(columns, "__iter__"):
        return []
    chosen = list(columns)
    if chosen and all(isinstance(one, (bool, np.bool_)) for one in chosen):
        return [at for at, wanted in zip(places, chosen) if wanted]
    found = []
    for one in chosen:
        if isinstance(one, (int, np.integer)):
            found.append(places[int(one)])
        elif names is not None and one in names and names.index(one) in places:
            found.append(names.index(one))
        else:
            return []
    return found


def _stated(part: Any, places: List[int]) -> Iterator[Tuple[int, Column]]:
    categories = attribute(part, "categories_")
    if isinstance(categories, (list, tuple)) and len(categories) == len(places):
        for at, known in zip(places, categories):
            values = list(known.tolist() if hasattr(known, "tolist") else known)
            nulls = [value for value in values if is_missing(value)]
            yield at, Column(values, null=nulls[0] if len(nulls) == 1 else np.nan if not nulls else None)
    filled = attribute(part, "statistics_")
    if filled is not None and len(filled) == len(places) and hasattr(part, "missing_values"):
        null = part.missing_values if is_missing(part.missing_values) else np.nan
        for at in places:
            yield at, Column(null=null)
