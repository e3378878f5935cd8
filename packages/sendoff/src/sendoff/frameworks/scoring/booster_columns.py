"""What XGBoost's and LightGBM's models state of their columns: names, kinds, and the categories of pandas' frames.

Neither library states all. Before 3.1 XGBoost kept no categories, only that a column has them; LightGBM keeps the lists
of categories and not which column each is of, which follows from what it says of its features.
"""

import json
import re
from typing import Any, Dict, List, NamedTuple, Optional

from .columns import Column

Stated = NamedTuple("Stated", [("names", Optional[List[str]]), ("count", Optional[int]), ("known", Dict[int, Column])])
_NOTHING = Stated(None, None, {})


def of_estimator(model: Any) -> Stated:
    """Return what the booster within XGBClassifier, LGBMRegressor and their like states; nothing where it has none."""
    try:
        if type(model).__module__.startswith("lightgbm"):
            return of_lightgbm(model.booster_)
        return of_xgboost(model.get_booster())
    except Exception as error:
        if isinstance(error, AttributeError) or type(error).__name__ in ("NotFittedError", "LGBMNotFittedError"):
            return _NOTHING  # not fitted: a template that another estimator was made from
        raise


def of_xgboost(booster: Any) -> Stated:
    """Return what a booster of XGBoost states."""
    names, kinds = booster.feature_names, booster.feature_types
    count = booster.num_features()
    known: Dict[int, Column] = {}
    if kinds is not None and "c" in kinds:
        stored = _stored(booster)
        for at, kind in enumerate(kinds):
            if kind == "c":
                categories = stored[at] if at < len(stored) else None
                known[at] = Column(categories or None, coded=bool(categories), closed=True)
    return Stated(list(names) if names else None, count, known)


def _stored(booster: Any) -> List[List[Any]]:
    """The categories of each column, in the order of their codes; empty ones where there are none.

    Source: XGBoost's src/data/cat_container.cc, as its JSON model has it.
    """
    model = json.loads(bytes(booster.save_raw("json")).decode("utf-8"))
    gradient = model["learner"]["gradient_booster"]
    inner = gradient.get("model") or gradient.get("gbtree", {}).get("model") or {}
    found: List[List[Any]] = []
    for one in (inner.get("cats") or {}).get("enc") or []:
        values = one.get("values") or []
        if "offsets" in one:
            text = bytes(value & 0xFF for value in values)
            ends = one["offsets"]
            found.append([text[start:end].decode("utf-8") for start, end in zip(ends, ends[1:])])
        else:
            found.append(list(values))
    return found


def of_lightgbm(booster: Any) -> Stated:
    """Return what a booster of LightGBM states.

    Raises:
        ValueError: which columns its categories are of cannot be told.
    """
    names = list(booster.feature_name())
    own = None if names == ["Column_%d" % at for at in range(len(names))] else names
    lists: List[List[Any]] = list(booster.pandas_categorical or [])
    known: Dict[int, Column] = {}
    if lists:
        text = booster.model_to_string(num_iteration=1)
        infos = _line(text, r"^feature_infos=(.*)$").split(" ")
        coded = _line(text, r"^\[categorical_feature: ?(.*)\]$")
        places = [int(at) for at in coded.split(",") if at.strip().isdigit()]
        if not places:
            places = [at for at, info in enumerate(infos) if ":" in info and not info.startswith("[")]
        for at, categories in zip(_placed(lists, infos, places), lists):
            known[at] = Column(categories, coded=True)
    return Stated(own, len(names), known)


def _line(text: str, pattern: str) -> str:
    found = re.search(pattern, text, re.M)
    return found.group(1) if found else ""


def _placed(lists: List[List[Any]], infos: List[str], places: List[int]) -> List[int]:
    """The column of each list of categories: the lists have the columns' order, and ordered ones are plain numbers."""
    if len(lists) == len(places) and all(_fits(infos[at], one) for at, one in zip(places, lists)):
        return places
    found: List[List[int]] = [[]]
    for one in lists:
        longer = []
        for chosen in found:
            for at in range(chosen[-1] + 1 if chosen else 0, len(infos)):
                if _fits(infos[at], one):
                    longer.append(chosen + [at])
        found = longer[:1000]
    # A column of pandas' categories is among the categorical ones unless it is ordered.
    best = max((len(set(chosen) & set(places)) for chosen in found), default=0)
    found = [chosen for chosen in found if len(set(chosen) & set(places)) == best]
    if len(found) != 1:
        raise ValueError(
            "the model was trained with %d columns of pandas' categories, and which of its columns they are is not "
            "stated: train it with unordered categories and no categorical_feature, or serve it with an entry script"
            % len(lists)
        )
    return found[0]


def _fits(info: str, categories: List[Any]) -> bool:
    """Whether a feature's values, as LightGBM lists or bounds them, can be codes of so many categories."""
    try:
        if info == "none":
            return True  # the same value in every row: no tree asks for it
        if info.startswith("["):
            low, high = (float(one) for one in info.strip("[]").split(":"))
            return low >= 0 and high <= len(categories) - 1 and low == int(low) and high == int(high)
        return all(float(code) < len(categories) for code in info.split(":"))
    except ValueError:
        return False
