"""Our figures against scipy's own, on shifted real data that scikit-learn ships."""

from __future__ import annotations

import functools
import math
import random
from collections import Counter

import pytest

from sendoff.drift import metrics

# scipy and scikit-learn are imported by the tests that need them: that takes seconds, and every worker of the suite
# collects every file.

COLUMNS = {"diabetes": 10, "wine": 13, "breast_cancer": 30}
CHANGES = ((0.0, 1.0, 9), (0.5, 1.0, 9), (1.5, 2.0, 9), (0.3, 1.0, 1))


@functools.cache
def rows(name):
    """A data set, and its rows in an order of chance."""
    import numpy
    from sklearn import datasets

    data = getattr(datasets, f"load_{name}")().data
    assert data.shape[1] == COLUMNS[name]
    return data, numpy.random.default_rng(3).permutation(len(data))


def pair(name, column, shift, stretch, decimals):
    """A column of real data, split by chance, one half shifted and stretched by known amounts; ties among them."""
    import numpy

    data, order = rows(name)
    half = len(data) // 3
    one, other = data[order[:half], column], data[order[half:], column]
    moved = numpy.round(other * stretch + shift * one.std(), decimals)
    return sorted(numpy.round(one, decimals).tolist()), sorted(moved.tolist())


@pytest.mark.parametrize(("shift", "stretch", "decimals"), CHANGES)
@pytest.mark.parametrize(("name", "column"), [(name, c) for name, count in COLUMNS.items() for c in range(0, count, 3)])
def test_numeric_distances_are_scipys(name, column, shift, stretch, decimals):
    from scipy import stats

    one, other = pair(name, column, shift, stretch, decimals)
    tested = stats.ks_2samp(one, other, method="asymp")
    assert metrics.ks(one, other) == pytest.approx(tested.statistic, abs=1e-12)
    assert metrics.wasserstein(one, other) == pytest.approx(stats.wasserstein_distance(one, other), rel=1e-9, abs=1e-12)
    assert metrics.energy(one, other) == pytest.approx(stats.energy_distance(one, other), rel=1e-9, abs=1e-9)
    # scipy's two-sided asymptotic value is Kolmogorov's own distribution for large samples.
    effective = math.sqrt(len(one) * len(other) / (len(one) + len(other)))
    expected = stats.kstwobign.sf(tested.statistic * effective)
    assert metrics.ks_p_value(tested.statistic, len(one), len(other)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_tests_of_categories_are_scipys(seed):
    from scipy import stats

    chance = random.Random(seed)
    names = "abcdefgh"[: chance.randint(2, 8)]
    one = Counter(chance.choices(names, k=300))
    other = Counter(chance.choices(names, weights=[chance.random() for _ in names], k=chance.randint(50, 900)))
    every = sorted({*one, *other})
    table = [[one[name] for name in every], [other[name] for name in every]]
    assert metrics.chi_squared_p_value(one, other) == pytest.approx(
        stats.chi2_contingency(table, correction=False).pvalue, rel=1e-9, abs=1e-300
    )
    expected = sum(abs(one[n] / one.total() - other[n] / other.total()) for n in every) / 2
    assert metrics.total_variation(one, other) == pytest.approx(expected)


@pytest.mark.parametrize(("a", "x"), [(0.5, 0.01), (0.5, 3), (3.5, 2), (3.5, 30), (40, 35), (40, 80), (1, 0)])
def test_the_gamma_function_is_scipys(a, x):
    from scipy.special import gammaincc

    assert metrics.upper_gamma(a, x) == pytest.approx(gammaincc(a, x), rel=1e-10)


def test_the_stability_index_is_the_textbooks():
    from scipy import stats

    assert metrics.psi([0.5, 0.5], [0.5, 0.5]) == 0
    assert metrics.psi([0.2, 0.8], [0.4, 0.6]) == pytest.approx(0.2 * math.log(2) - 0.2 * math.log(0.75))
    # scipy: the sum of both relative entropies.
    one, other = [0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]
    assert metrics.psi(one, other) == pytest.approx(stats.entropy(one, other) + stats.entropy(other, one))
    assert metrics.psi([1.0, 0.0], [0.0, 1.0]) > 5  # an empty bin is no division by zero


def test_bins_hold_equal_counts_and_cover_everything():
    values = sorted(rows("diabetes")[0][:, 2].tolist())
    edges = metrics.quantile_edges(values)
    assert len(edges) == 9
    found = metrics.shares(values, edges)
    assert sum(found) == pytest.approx(1) and max(found) < 0.13 and min(found) > 0.07
    assert metrics.shares([-1e9, 1e9], edges) == [0.5, *[0.0] * 8, 0.5]
    assert metrics.quantile_edges([1.0] * 50) == []
