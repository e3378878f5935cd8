"""Distances between two samples, with the standard library alone (docs/drift.md says why).

Tests hold the figures against scipy's own: ``ks_2samp``, ``wasserstein_distance``, ``energy_distance``,
``chi2_contingency``.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

SMALLEST_SHARE = 1e-4
"""What an empty bin counts as in the population stability index, whose logarithm has no value at zero."""


def quantile_edges(values: Sequence[float], bins: int = 10) -> list[float]:
    """Inner edges that cut a sample into bins of equal counts, as far as ties let them; sorted, none twice.

    Args:
        values: sorted, not empty.
        bins: how many at most.
    """
    edges = {values[min(len(values) * index // bins, len(values) - 1)] for index in range(1, bins)}
    return sorted(edges - {values[0]})


def shares(values: Sequence[float], edges: Sequence[float]) -> list[float]:
    """Shares of a sorted sample below the first edge, between edges (the lower one included), from the last one on."""
    cuts = [0, *(bisect_left(values, edge) for edge in edges), len(values)]
    return [(high - low) / len(values) for low, high in pairwise(cuts)]


def psi(expected: Sequence[float], actual: Sequence[float]) -> float:
    """Population stability index of two lists of shares: the sum of ``(a - e) * ln(a / e)``."""
    total = 0.0
    for one, other in zip(expected, actual, strict=True):
        e, a = max(one, SMALLEST_SHARE), max(other, SMALLEST_SHARE)
        total += (a - e) * math.log(a / e)
    return total


def ks(first: Sequence[float], second: Sequence[float]) -> float:
    """The two-sample Kolmogorov-Smirnov statistic of sorted samples: the largest distance of their distributions."""
    return max((abs(u - v) for u, v, _ in _steps(first, second)), default=0.0)


def ks_p_value(statistic: float, first: int, second: int) -> float:
    """The probability of at least this statistic in samples of one distribution, by Kolmogorov's asymptotic series."""
    x = statistic * math.sqrt(first * second / (first + second))
    if x < 0.2:
        return 1.0
    total = math.fsum((1.0 if k % 2 else -1.0) * math.exp(-2.0 * k * k * x * x) for k in range(1, 101))
    return min(max(2.0 * total, 0.0), 1.0)


def wasserstein(first: Sequence[float], second: Sequence[float]) -> float:
    """The first Wasserstein distance of sorted samples, in the feature's own unit."""
    return math.fsum(abs(u - v) * width for u, v, width in _steps(first, second))


def energy(first: Sequence[float], second: Sequence[float]) -> float:
    """The energy distance of sorted samples."""
    return math.sqrt(2.0 * math.fsum((u - v) ** 2 * width for u, v, width in _steps(first, second)))


def total_variation(first: Mapping[str, int], second: Mapping[str, int]) -> float:
    """Half the sum of differences of shares over all categories: 0 for equal, 1 for disjoint."""
    one, other = sum(first.values()), sum(second.values())
    return sum(abs(first.get(c, 0) / one - second.get(c, 0) / other) for c in {*first, *second}) / 2


def chi_squared_p_value(first: Mapping[str, int], second: Mapping[str, int]) -> float:
    """Pearson's test of homogeneity, without correction; 1 for a single category."""
    categories = sorted({*first, *second})
    if len(categories) < 2:
        return 1.0
    one, other = sum(first.values()), sum(second.values())
    whole = one + other
    statistic = 0.0
    for category in categories:
        a, b = first.get(category, 0), second.get(category, 0)
        for seen, size in ((a, one), (b, other)):
            expected = (a + b) * size / whole
            statistic += (seen - expected) ** 2 / expected
    return upper_gamma((len(categories) - 1) / 2, statistic / 2)


def proportion_p_value(first: int, of_first: int, second: int, of_second: int) -> float:
    """The two-sided z-test of two proportions."""
    pooled = (first + second) / (of_first + of_second)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / of_first + 1 / of_second))
    if spread == 0:
        return 1.0
    return math.erfc(abs(first / of_first - second / of_second) / spread / math.sqrt(2))


def upper_gamma(a: float, x: float) -> float:
    """The regularised upper incomplete gamma function: by its series below ``a + 1``, else by continued fraction."""
    if x <= 0:
        return 1.0
    scale = math.exp(-x + a * math.log(x) - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        step = a
        while abs(term) > abs(total) * 1e-15:
            step += 1
            term *= x / step
            total += term
        return max(1.0 - total * scale, 0.0)
    tiny = 1e-300
    b = x + 1 - a
    c, d = 1 / tiny, 1 / b
    h = d
    for index in range(1, 10_000):
        an = -index * (index - a)
        b += 2
        d = an * d + b
        d = tiny if abs(d) < tiny else d
        c = b + an / c
        c = tiny if abs(c) < tiny else c
        d = 1 / d
        delta = d * c
        h *= delta
        if abs(delta - 1) < 1e-15:
            break
    return min(h * scale, 1.0)


def _steps(first: Sequence[float], second: Sequence[float]) -> Iterator[tuple[float, float, float]]:
    """Values of both distribution functions, and how far they hold, over the sorted union of both samples."""
    places = sorted({*first, *second})
    for index, place in enumerate(places):
        width = places[index + 1] - place if index + 1 < len(places) else 0.0
        yield bisect_right(first, place) / len(first), bisect_right(second, place) / len(second), width
