"""Tables against tables: what is drift, and what is chance."""

from __future__ import annotations

import statistics

import pytest

from sendoff.drift.compare import coefficient, compare
from sendoff.errors import InvalidInput


def halves():
    """The same wines twice, in two orders: no drift at all beyond chance."""
    # Here and not above: both take seconds to import, and every worker of the suite collects every file.
    import numpy
    from sklearn.datasets import load_wine

    found = load_wine(as_frame=True).data
    order = numpy.random.default_rng(1).permutation(len(found))
    half = len(found) // 2
    one, other = found.iloc[order[:half]], found.iloc[order[half:]]
    return {c: one[c].tolist() for c in found}, {c: other[c].tolist() for c in found}


def test_equal_distributions_have_no_drift_however_few_the_rows():
    one, other = halves()
    assert coefficient(compare(one, other)) == 0
    assert coefficient(compare(one, {name: values[:6] for name, values in other.items()})) == 0


def test_a_shifted_feature_is_found_and_has_the_whole_contribution():
    one, other = halves()
    spread = statistics.pstdev(one["alcohol"])
    other["alcohol"] = [value + 1.5 * spread for value in other["alcohol"]]
    first, *rest = compare(one, other)
    assert first.name == "alcohol" and first.kind == "numeric" and first.magnitude > 0.4 and first.contribution == 1
    assert first.psi > 0.25 and first.wasserstein == pytest.approx(1.5 * spread, rel=0.2)
    assert {feature.magnitude for feature in rest} == {0}
    assert sum(bar.target for bar in first.bins) == pytest.approx(1)


def test_texts_of_a_file_are_the_same_as_numbers():
    one, other = halves()
    as_text = compare({n: [str(v) for v in values] for n, values in one.items()}, other)
    assert as_text == compare(one, other)


def test_categories_missing_values_and_new_ones():
    one = {"colour": ["red"] * 60 + ["white"] * 40, "age": [str(n) for n in range(100)]}
    other = {"colour": ["red"] * 30 + ["rosé"] * 70, "age": [str(n) for n in range(50)] + [""] * 50}
    found = {feature.name: feature for feature in compare(one, other)}
    assert found["colour"].kind == "categorical" and found["colour"].new_categories == ["rosé"]
    assert found["colour"].distance == pytest.approx(0.7) and found["colour"].magnitude == pytest.approx(0.7)
    assert found["age"].missing_target == 0.5 and found["age"].magnitude >= 0.5
    gone = compare({"age": one["age"]}, {"age": [None] * 80})[0]
    assert gone.missing_target == 1 and gone.magnitude == 1 and gone.ks is None


def test_rows_without_names_are_matched_by_their_place():
    one, other = halves()
    names = list(one)[:3]
    unnamed = {str(place): other[name] for place, name in enumerate(names)}
    assert {feature.name for feature in compare(one, unnamed, names)} == set(names)
    assert {feature.name for feature in compare(one, unnamed)} == set(names)
    with pytest.raises(InvalidInput, match="4 columns without names, the baseline has 3"):
        compare({n: one[n] for n in names}, {**unnamed, "3": [1.0] * len(unnamed["0"])})


def test_what_cannot_be_compared_is_said():
    with pytest.raises(InvalidInput, match="no column in common") as caught:
        compare({"a": [1]}, {"b": [1]})
    assert "Baseline: a. Collected: b." in caught.value.hint
    with pytest.raises(InvalidInput, match="'c' is not in both"):
        compare({"a": [1]}, {"a": [1]}, ["c"])
