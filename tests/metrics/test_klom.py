"""KLoM: closed forms, its null, and the maximum that must not be dropped."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from scipy.stats import norm

from sklearn_unlearn.metrics import klom_error


def draw(n, n_rows=50, scale=1.0, seed=0):
    return scale * np.random.default_rng(seed).normal(size=(n, n_rows))


def law(n, scale=1.0, shift=0.0):
    """Models whose margins have exactly the given mean and standard deviation."""
    values = norm.ppf((np.arange(n) + 0.5) / n)
    values = (values - values.mean()) / values.std(ddof=1)
    return np.tile(shift + scale * values[:, np.newaxis], (1, 3))


def test_closed_forms():
    np.testing.assert_allclose(klom_error(law(50, shift=1.0), law(50)), 0.5)
    # the direction: KL(retrained || unlearned)
    np.testing.assert_allclose(
        klom_error(law(50, scale=2.0), law(50)), np.log(2) - 3 / 8
    )
    np.testing.assert_allclose(klom_error(law(50), law(50, scale=2.0)), 1.5 - np.log(2))
    # as good an estimate from histograms as one can expect
    found = klom_error(
        draw(20000, 1, seed=1) + 1, draw(20000, 1), estimator="histogram"
    )
    assert 0.4 < found < 0.6


@pytest.mark.parametrize(
    ("n", "expected"), [(10, 0.26), (20, 0.12), (50, 0.04), (100, 0.02)]
)
def test_gaussian_null_falls_with_the_number_of_models(n, expected):
    found = klom_error(draw(n, 400), draw(n, 400, seed=1))
    assert expected / 1.6 < found < 1.6 * expected


def test_few_models_are_shrunk():
    rows = klom_error(draw(3, 400), draw(3, 400, seed=1), average=None)
    assert rows.mean() < 0.6  # 0.33 by the means alone; without it, far above 1
    assert rows.max() < 6


def test_histogram_null_is_that_of_the_published_code():
    found = {
        n: klom_error(draw(n, 300), draw(n, 300, seed=1), estimator="histogram")
        for n in (10, 50, 100)
    }
    for n, expected in ((10, 5.6), (50, 0.84), (100, 0.34)):
        assert expected / 1.5 < found[n] < 1.5 * expected


def by_numpy(unlearned, retrained, find, n_bins=20):
    values = []
    for u, r in zip(unlearned.T, retrained.T, strict=True):
        edges = np.linspace(min(u.min(), r.min()), max(u.max(), r.max()), n_bins + 1)
        q, p = find(u, edges) / len(u), find(r, edges) / len(r)
        kept = p > 0
        ratio = p[kept] / np.maximum(q[kept], 1e-5)
        values.append((p[kept] * np.log(ratio)).sum())
    return np.array(values)


def digitized(values, edges):
    """A wrong count: the last edge belongs to no bin."""
    return np.bincount(np.digitize(values, edges), minlength=len(edges) + 1)[1:-1]


def test_the_maximum_counts():
    unlearned, retrained = draw(30) + 0.4, draw(30, seed=1)
    found = klom_error(unlearned, retrained, estimator="histogram", average=None)
    histogram = by_numpy(unlearned, retrained, lambda v, e: np.histogram(v, e)[0])
    np.testing.assert_allclose(found, histogram)
    wrong = by_numpy(unlearned, retrained, digitized)
    assert np.abs(found - wrong).max() > 0.1


@pytest.mark.parametrize("estimator", ["gaussian", "histogram"])
def test_null_and_rows(estimator):
    # the null is that of halves, so it goes with half as many models
    unlearned, retrained = draw(20) + 1.5, draw(40, seed=1)
    options = {"estimator": estimator, "random_state": 0}
    value, null = klom_error(unlearned, retrained, return_null=True, **options)
    assert null.shape == (20,) and value > np.quantile(null, 0.95)
    _, rows = klom_error(
        unlearned, retrained, return_null=True, average=None, **options
    )
    np.testing.assert_allclose(rows.mean(axis=1), null)
    inner = klom_error(draw(20, seed=2), retrained[:20], **options)
    assert 0.7 * null.min() < inner < 1.4 * null.max()


@pytest.mark.parametrize("estimator", ["gaussian", "histogram"])
def test_a_constant_and_the_order_change_nothing(estimator):
    unlearned, retrained = draw(20) + 0.5, draw(20, seed=1)
    value = klom_error(unlearned, retrained, estimator=estimator)
    moved = klom_error(unlearned + 3, retrained + 3, estimator=estimator)
    np.testing.assert_allclose(moved, value, rtol=1e-6)
    order = np.random.default_rng(0).permutation(50)
    turned = klom_error(
        unlearned[::-1, order], retrained[:, order], estimator=estimator
    )
    np.testing.assert_allclose(turned, value)


@pytest.mark.parametrize("estimator", ["gaussian", "histogram"])
def test_models_that_do_not_vary(estimator):
    same = np.tile(np.arange(5.0), (12, 1))
    assert klom_error(same, same, estimator=estimator) == 0
    assert np.isfinite(klom_error(same + 1, same, estimator=estimator))
    assert klom_error(np.zeros((3, 2)), np.zeros((3, 2)), estimator=estimator) == 0


def test_what_is_refused():
    bad = draw(5)
    bad[0, 0] = np.nan
    with pytest.raises(ValueError, match="margins_unlearned contains NaN"):
        klom_error(bad, draw(5))
    with pytest.raises(ValueError, match="at least 2 models; got 1"):
        klom_error(draw(1), draw(5))
    with pytest.raises(ValueError, match="at least 4 models; got 3"):
        klom_error(draw(5), draw(3), return_null=True)
    with pytest.raises(ValueError, match="estimator"):
        klom_error(draw(5), draw(5), estimator="knn")
