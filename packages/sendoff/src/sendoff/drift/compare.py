"""Two tables, feature by feature: how far each has moved, and what the rows give evidence of."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from ..errors import InvalidInput
from ..spec.drift import CATEGORICAL, NUMERIC, Bin, FeatureDrift
from ..spec.parse import replace
from . import metrics

EVIDENCE = 0.01
"""A shift that equal distributions would show more often than this is taken for chance, and counts as none."""
_MOST_BARS = 12
_MISSING = ("", "nan", "NaN", "null", "None", "NA", "N/A")

Values = Sequence[Any]
Columns = Mapping[str, Values]


def matched(
    baseline: Columns, target: Columns, features: Sequence[str]
) -> list[tuple[str, Sequence[Any], Sequence[Any]]]:
    """Features with both sides' values: by name, or by place where the rows that were sent carry no names.

    Raises:
        InvalidInput: They have nothing in common, or a wanted feature is missing.
    """
    wanted = list(features) or list(baseline)
    unnamed = list(target) == [str(index) for index in range(len(target))] and list(baseline)[: len(target)] != list(
        target
    )
    if unnamed and not set(wanted) & set(target):
        if len(target) > len(wanted):
            raise InvalidInput(
                f"the rows have {len(target)} columns without names, the baseline has {len(wanted)}",
                hint="Name the features in their order (--features), or send rows with names.",
                field="features",
            )
        return [(name, baseline[name], target[str(place)]) for place, name in enumerate(wanted[: len(target)])]
    missing = [name for name in features if name not in baseline or name not in target]
    common = [name for name in wanted if name in baseline and name in target]
    if missing or not common:
        lacking = f"{missing[0]!r} is not in both" if missing else "they have no column in common"
        raise InvalidInput(
            f"baseline and collected rows cannot be compared: {lacking}",
            hint=f"Baseline: {', '.join(list(baseline)[:12])}. Collected: {', '.join(list(target)[:12])}.",
            field="features",
        )
    return [(name, baseline[name], target[name]) for name in common]


def compare(baseline: Columns, target: Columns, features: Sequence[str] = ()) -> list[FeatureDrift]:
    """How far each feature has moved, the furthest first.

    Args:
        baseline: Values by column; texts or numbers, None or an empty text for missing.
        target: The same of the rows that were sent.
        features: Columns to compare, in their order; all in common when empty.

    Raises:
        InvalidInput: They have nothing in common.
    """
    found = [_feature(name, one, other) for name, one, other in matched(baseline, target, features)]
    whole = math.fsum(feature.magnitude for feature in found)
    found = [replace(one, contribution=one.magnitude / whole if whole else 0.0) for one in found]
    return sorted(found, key=lambda one: (-one.magnitude, one.name))


def coefficient(features: Sequence[FeatureDrift]) -> float:
    """0 to 1: how far the feature has moved that moved most."""
    return max((feature.magnitude for feature in features), default=0.0)


def _feature(name: str, baseline: Sequence[Any], target: Sequence[Any]) -> FeatureDrift:
    one, other = [_known(v) for v in baseline], [_known(v) for v in target]
    present = [v for v in one if v is not None]
    numbers = [_number(v) for v in present]
    if present and all(v is not None for v in numbers):
        here = sorted(v for v in numbers if v is not None)
        there = sorted(v for v in (_number(w) for w in other if w is not None) if v is not None)
        return _numeric(name, here, there, len(one), len(other))
    return _categorical(
        name, [str(v) for v in one if v is not None], [str(v) for v in other if v is not None], one, other
    )


def _numeric(name: str, one: list[float], other: list[float], rows: int, other_rows: int) -> FeatureDrift:
    missing, magnitude = _missing(rows - len(one), rows, other_rows - len(other), other_rows)
    if not other:
        return _unmeasured(name, NUMERIC, missing, magnitude)
    edges = metrics.quantile_edges(one)
    before, after = metrics.shares(one, edges), metrics.shares(other, edges)
    statistic = metrics.ks(one, other)
    p_value = metrics.ks_p_value(statistic, len(one), len(other))
    return replace(
        _unmeasured(name, NUMERIC, missing, magnitude),
        magnitude=max(statistic if p_value < EVIDENCE else 0.0, magnitude),
        psi=metrics.psi(before, after),
        ks=statistic,
        wasserstein=metrics.wasserstein(one, other),
        energy=metrics.energy(one, other),
        p_value=p_value,
        mean_baseline=math.fsum(one) / len(one),
        mean_target=math.fsum(other) / len(other),
        bins=[
            Bin(label=label, baseline=a, target=b) for label, a, b in zip(_labels(edges), before, after, strict=True)
        ],
    )


def _categorical(
    name: str, one: list[str], other: list[str], rows: Sequence[Any], others: Sequence[Any]
) -> FeatureDrift:
    missing, magnitude = _missing(len(rows) - len(one), len(rows), len(others) - len(other), len(others))
    if not one or not other:
        return _unmeasured(name, CATEGORICAL, missing, magnitude)
    before, after = Counter(one), Counter(other)
    distance = metrics.total_variation(before, after)
    p_value = metrics.chi_squared_p_value(before, after)
    order = sorted({*before, *after}, key=lambda c: (-before[c] - after[c], c))
    pairs = [(category, before[category] / len(one), after[category] / len(other)) for category in order]
    bars = pairs[:_MOST_BARS]
    if len(pairs) > _MOST_BARS:
        rest = pairs[_MOST_BARS - 1 :]
        bars = [*pairs[: _MOST_BARS - 1], ("others", sum(r[1] for r in rest), sum(r[2] for r in rest))]
    return replace(
        _unmeasured(name, CATEGORICAL, missing, magnitude),
        magnitude=max(distance if p_value < EVIDENCE else 0.0, magnitude),
        psi=metrics.psi([a for _, a, _ in pairs], [b for _, _, b in pairs]),
        distance=distance,
        p_value=p_value,
        new_categories=sorted({*after} - {*before})[:20],
        bins=[Bin(label=label, baseline=a, target=b) for label, a, b in bars],
    )


def _unmeasured(name: str, kind: str, missing: tuple[float, float], magnitude: float) -> FeatureDrift:
    """What can be said of any feature, and all of one of which a side has no value: how much is missing."""
    return FeatureDrift(
        name=name,
        kind=kind,
        magnitude=magnitude,
        contribution=0.0,
        psi=None,
        ks=None,
        wasserstein=None,
        energy=None,
        distance=None,
        p_value=None,
        missing_baseline=missing[0],
        missing_target=missing[1],
        mean_baseline=None,
        mean_target=None,
        new_categories=[],
        bins=[],
    )


def _missing(one: int, rows: int, other: int, others: int) -> tuple[tuple[float, float], float]:
    """Shares of missing values on both sides, and their difference where the rows give evidence of it."""
    before, after = (one / rows if rows else 0.0), (other / others if others else 0.0)
    if not rows or not others or metrics.proportion_p_value(one, rows, other, others) >= EVIDENCE:
        return (before, after), 0.0
    return (before, after), abs(before - after)


def _known(value: Any) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return None if isinstance(value, str) and value.strip() in _MISSING else value


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _labels(edges: Sequence[float]) -> list[str]:
    if not edges:
        return ["all"]
    inner = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges)]
    return [f"below {edges[0]:.4g}", *inner, f"{edges[-1]:.4g} and up"]
