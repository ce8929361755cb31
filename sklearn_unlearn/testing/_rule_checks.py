"""The check of a rule: it forgets whatever its estimator can be fitted on."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import warnings
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from sklearn_unlearn.exact import Rule, find_rule
from sklearn_unlearn.rows._request import Request
from sklearn_unlearn.rows._store import RowStore
from sklearn_unlearn.testing._check_data import fresh
from sklearn_unlearn.testing._refit import (
    NOT_STATE,
    assert_equals_refit,
    count_refits,
    forget_rows,
    refit,
)
from sklearn_unlearn.testing._residue import find_residue
from sklearn_unlearn.utils._sklearn_compat import _num_samples, _safe_indexing
from sklearn_unlearn.utils._state import state_differences

__all__ = ["check_rule"]

# So that at least three summaries of 64 blocks are merged.
N_ROWS, BLOCK_ROWS = 200, 1
# Errors of a fit that means that it does not take such rows.
REFUSED = (ValueError, TypeError)


class Case(NamedTuple):
    """Training rows in one form; `name` says which."""

    name: str
    X: Any
    y: Any
    params: dict


def check_rule(estimator, X=None, y=None):
    """Check that the rule of an estimator forgets rows exactly, and without a fit.

    Rows are forgotten one by one and together, outliers and classes among them, and
    each time the whole state must be that of a fit on the retained rows, up to 1e-8:
    for arrays and whole numbers; for frames, missing values, sparse rows, single
    precision, objects, words, sample weights and equal rows where the estimator takes
    them; with other boolean and real parameters; and after a step before has changed.
    Where ``covers`` says that there is a faster way, a fit is a failure: it would hide
    that the rule never runs.

    Parameters
    ----------
    estimator : estimator instance
        Unfitted, of a type for which a rule is registered.
    X, y : array-like, default=None
        Training rows, of which some are forgotten. By default they are made to
        suit the tags of the estimator; pass them where it cannot be fitted on
        those, or where they miss what the rule is about.

    Raises
    ------
    AssertionError
        If no rule is registered for the type, or at the first failure.

    See Also
    --------
    check_unlearner : Checks the contract of ``unlearn``.

    Notes
    -----
    A rule whose path is not ``"summaries"`` may fit again for some requests, such
    as those for a support vector, but not for all. A rule whose `covers` returns False
    for all of the rows and parameters fails: nothing of it was checked.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_unlearn.utils.estimator_checks import check_rule
    >>> check_rule(StandardScaler())
    """
    estimator = fresh(estimator)
    _check_registered(estimator)
    with (
        config_context(enable_metadata_routing=False),
        mock.patch.object(RowStore, "BLOCK_ROWS", BLOCK_ROWS),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        plain = Case("plain rows", *_rows_for(estimator), {})
        if X is not None:
            plain = Case("the given rows", X, y, {})
        covered = [_check_case(estimator, plain, must_fit=True)]
        for case in _other_forms(estimator, plain):
            covered.append(_check_case(estimator, case))
        for variant, name in _other_parameters(estimator):
            case = plain._replace(name=f"{plain.name}, with {name}")
            covered.append(_check_case(variant, case))
        _check_changed_coordinates(estimator, plain)
        _check_ran(estimator, covered)


def _check_registered(estimator):
    """Raise unless a rule is registered for the type of the estimator."""
    name = type(estimator).__name__
    if type(find_rule(estimator)) is Rule:
        raise AssertionError(
            f"There is no rule for {name}: decorate one with register_rule({name}), "
            "and import its module."
        )


def _check_ran(estimator, covered):
    """Raise unless the rule has covered some case, or always fits again."""
    rule = find_rule(estimator)
    if rule.path != "refit" and not any(covered):
        raise AssertionError(
            f"{type(rule).__name__} never ran: its `covers` returned False for all "
            f"rows of {estimator}. Pass an estimator, or rows, that the rule covers."
        )


def _rows_for(estimator):
    """Return rows and targets that suit the tags of an estimator.

    Row 7 holds the largest values, and categories and words of its own.
    """
    rng, tags = np.random.default_rng(0), get_tags(estimator)
    code = np.arange(N_ROWS) % 3
    if tags.input_tags.string and not tags.input_tags.two_d_array:
        words = np.array(["one", "two", "three", "four", "five", "six", "seven"])
        X = [" ".join(rng.choice(words, 5)) for _ in range(N_ROWS)]
        X[7] += " secret"
    elif tags.input_tags.categorical:
        X = rng.integers(0, [2, 3, 5, 4], size=(N_ROWS, 4)).astype(float)
        X[7] = [3, 4, 6, 5]
    elif tags.input_tags.positive_only:
        X = rng.poisson(1.0 + code[:, None], size=(N_ROWS, 4)).astype(float)
        X[7] = 50.0
    else:
        X = rng.normal(size=(N_ROWS, 4)) + 2.0 * code[:, None] * [1, -1, 0.5, 0]
        X[7] *= 20.0
        X = X * [0.1, 1.0, 3.0, 1.0] + [1.0, 0.0, -2.0, 0.5]
    if is_classifier(estimator):
        n_classes = 3 if tags.classifier_tags.multi_class else 2
        return X, np.array(["apple", "pear", "quince"])[code % n_classes]
    if is_regressor(estimator) or tags.target_tags.required:
        return X, code + rng.normal(size=N_ROWS)
    return X, None


def _other_forms(estimator, plain):
    """Yield the rows in the other forms that the estimator may take."""
    X, tags = plain.X, get_tags(estimator).input_tags
    n_rows, rng = _num_samples(X), np.random.default_rng(1)
    copies = np.arange(n_rows)
    copies[n_rows // 2 : n_rows // 2 + n_rows // 8] = copies[: n_rows // 8]
    y = None if plain.y is None else _safe_indexing(plain.y, copies)
    yield Case("equal rows", _safe_indexing(X, copies), y, {})
    if has_fit_parameter(estimator, "sample_weight"):
        for name, weight in (
            ("sample_weight", rng.integers(1, 5, n_rows) / 2.0),
            ("sample_weight with zeros", rng.integers(0, 3, n_rows).astype(float)),
        ):
            yield plain._replace(name=name, params={"sample_weight": weight})
    if not isinstance(X, np.ndarray) or X.ndim != 2 or X.dtype.kind not in "iuf":
        return
    yield plain._replace(name="whole numbers", X=np.rint(10 * X).astype(np.int64))
    yield plain._replace(name="rows in single precision", X=X.astype(np.float32))
    yield plain._replace(name="numbers as objects", X=X.astype(object))
    gaps = X.astype(float)
    gaps[rng.random(X.shape) < 0.1] = np.nan
    if tags.allow_nan:
        yield plain._replace(name="missing values", X=gaps)
    if tags.sparse:
        some = np.where(rng.random(X.shape) < 0.5, X, 0.0)
        yield plain._replace(name="sparse rows", X=sparse.csr_array(some))
    try:
        import pandas as pd
    except ImportError:
        return
    names = [f"column {j}" for j in range(X.shape[1])]
    yield plain._replace(name="a data frame", X=pd.DataFrame(X, columns=names))
    if tags.allow_nan:
        frame = pd.DataFrame(gaps, columns=names)
        yield plain._replace(name="a data frame with missing values", X=frame)
    if tags.string or tags.categorical:
        words = pd.DataFrame(X, columns=names).astype({names[0]: str, names[1]: str})
        yield plain._replace(name="a data frame with words", X=words)


def _other_parameters(estimator):
    """Yield copies with another value for a parameter, and the name of that."""
    for name, value in estimator.get_params(deep=False).items():
        if isinstance(value, (bool, np.bool_)) and name != "verbose":
            other = not value
        elif isinstance(value, float) and np.isfinite(value) and value:
            other = 0.7 * value
        else:
            continue
        yield clone(estimator).set_params(**{name: other}), f"{name}={other}"


def _requests(case):
    """Return requests that a rule should serve without a fit, and some others."""
    n_rows = _num_samples(case.X)
    order = np.random.default_rng(2).permutation(n_rows)[: n_rows // 8]
    order = np.setdiff1d(order, [7], assume_unique=True)
    few = [*order[:4, None], order[4:7], [7], np.sort(order[7:])]
    few = [np.asarray(request) for request in few if len(request)]
    left = np.setdiff1d(np.arange(n_rows), np.concatenate(few))
    many = [left[: len(left) // 4]]  # whole blocks
    if case.y is not None and len(np.unique(case.y)) == 3:
        left, y = left[len(left) // 4 :], np.asarray(case.y)
        many.append(left[y[left] == np.unique(y)[1]])
    many = [request for request in many if len(request)]
    return few, many


def _check_case(estimator, case, must_fit=False):
    """Forget rows, request by request, and compare with fits without them.

    Return whether the rule has covered the case.
    """
    rule = find_rule(estimator)
    try:
        fitted = refit(estimator, case.X, case.y, fit_params=case.params)
    except REFUSED as error:
        if must_fit:
            raise AssertionError(
                f"{estimator} cannot be fitted on {case.name}: pass X and y that it "
                f"takes. {error}"
            ) from error
        return False
    try:
        model, keep, covered = _forget_and_compare(rule, fitted, estimator, case)
        if must_fit:
            _check_residue(model, case, keep)
    except Exception as error:
        raise AssertionError(
            f"{type(rule).__name__} is wrong for {case.name}, of {estimator}: "
            f"{str(error).rstrip('.')}. Correct it, or let its `covers` return False "
            "for such rows."
        ) from error
    return covered


def _forget_and_compare(rule, fitted, estimator, case):
    """Raise an error where the rule fits again, or ends in another state.

    Return the model, which rows are retained, and whether the rule covers them.
    """
    first = {name: value[:1] for name, value in case.params.items()}
    y = None if case.y is None else case.y[:1]
    covered = rule.covers(fitted, _safe_indexing(case.X, [0]), y, **first)
    few, many = _requests(case)
    # of which the fit may write into the rows that it is given
    X = copy.deepcopy(case.X)
    model, keep = forget_rows(estimator, X, case.y, (), case.params)
    n_fitted = 0
    for i, request in enumerate([*few, *many]):
        before = model.estimator_
        as_it_was = copy.deepcopy(before)
        with count_refits(estimator, keep.sum() // 2) as refits:
            model.unlearn(groups=request)
        keep[request] = False
        changed = state_differences(before, as_it_was, rtol=0.0)
        assert not changed, f"it changes the estimator that it is given: {changed[0]}."
        n_fitted += bool(refits) and i < len(few)
        reference = assert_equals_refit(
            model.estimator_, estimator, case.X, case.y, keep, case.params
        )
        if covered and rule.is_bitwise(fitted):
            found = state_differences(
                model.estimator_, reference, rtol=0.0, ignore=NOT_STATE
            )
            assert not found, f"`is_bitwise` is true, but {found[0]}."
    _check_parameters(model.estimator_, estimator)
    if covered and rule.path != "parts" and n_fitted:
        some_may = rule.path != "summaries" and n_fitted < len(few)
        assert some_may, f"{n_fitted} of {len(few)} requests were fitted again."
    return model, keep, covered


def _check_residue(model, case, keep):
    """Raise AssertionError if a value that only forgotten rows had is still there."""
    rows = (_safe_indexing(case.X, np.flatnonzero(which)) for which in (~keep, keep))
    found = find_residue(model, *rows)
    assert not found, f"forgotten values are left: {found[0]}."


def _check_parameters(fitted, estimator):
    """Raise AssertionError if a parameter is not what it was given as."""
    given = estimator.get_params(deep=False)
    for name, value in fitted.get_params(deep=False).items():
        if hasattr(value, "get_params") or isinstance(value, (list, tuple)):
            continue  # fitted steps
        found = state_differences(value, given[name], rtol=0.0)
        assert not found, f"the parameter {name} has changed from {given[name]!r}."


def _check_changed_coordinates(estimator, plain):
    """Forget while a step before the estimator has changed what it sees.

    What it is given then is a function of the rows that nothing before allows for.
    Here each row is replaced by another one.
    """
    rule, n_rows = find_rule(estimator), _num_samples(plain.X)
    fitted = refit(estimator, plain.X, plain.y)
    store = RowStore.keep(plain.X, plain.y)
    gone = np.arange(5, 12)
    left, forgotten = store.split(gone)
    order = np.random.default_rng(3).permutation(n_rows)[: left.n_rows]
    rows = left.rows()._replace(X=_safe_indexing(store.rows().X, order))
    mask = np.isin(np.arange(n_rows), gone)
    request = Request(mask, forgotten, lambda: rows, blocks=None)
    outcome = rule.forget(fitted, rule.remember(fitted, store), left, request)
    try:
        assert_equals_refit(outcome.estimator, estimator, rows.X, rows.y)
    except AssertionError as error:
        raise AssertionError(
            f"{type(rule).__name__} is wrong for a request whose coordinates_changed: "
            f"{error}. Use nothing then that was computed before."
        ) from error
