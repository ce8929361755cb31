"""Residue: copies of forgotten rows that an estimator still holds.

What is searched for are canaries, values that only forgotten rows have: no retained
row has them in any column. They are searched in everything that can be reached from an
estimator and in its pickle. An empty answer means that *no copy of the row was
found*. It says nothing about derived copies (hashed, standardised or compressed
rows, Gram matrices): for exact methods the equality of states catches those.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numbers
import pickle
import warnings

import numpy as np

from sklearn_unlearn.testing._canaries import as_float, canaries, cells, texts
from sklearn_unlearn.testing._canary_search import CanarySearch
from sklearn_unlearn.utils._reachable import leaves

__all__ = ["assert_no_residue", "find_in_objects", "find_in_pickle", "find_residue"]

IMAGE_BITS = 12  # products of matrices agree to 1e-12, not bit for bit
UNPICKLABLE = (pickle.PicklingError, AttributeError, TypeError)


def find_residue(estimator, X_forget, X_retain):
    """Search a fitted estimator for values that only forgotten rows have.

    Give it your own model and rows to see what an auditor would see.

    Parameters
    ----------
    estimator : estimator instance
        Fitted, and believed to have forgotten.
    X_forget, X_retain : array-like, sparse matrix or data frame
        The rows it forgot and those it kept, as they were given to ``fit``.

    Returns
    -------
    list of str
        What was found, empty if *no copy of a row was found*. That does not mean
        that no row can be recovered: see the notes.

    See Also
    --------
    check_no_residue : The check that uses it.
    assert_same_state : Compares with a model that never saw the rows.

    Notes
    -----
    Searched are all objects that can be reached from the estimator, its pickle,
    and, for transformers and pipelines, the images of the rows under the fitted
    steps. ``classes_``, ``feature_names_in_`` and constructor parameters other
    than estimators are schema: their values never count.

    A float64 with a full mantissa is an alarm by itself. Integers, decimals of up
    to nine digits, fractions of small numbers and everything in float32 or float16
    occur by chance; of these at least three and half of the values of one row, or
    of the whole request, must be found, and more of them than of their neighbours,
    which nobody had. Single such values,
    derived copies (hashed, standardised, compressed rows; Gram matrices) and
    per-row outputs are not found here.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sklearn_unlearn.exact import ExactUnlearner
    >>> from sklearn_unlearn.utils.estimator_checks import find_residue
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> model = ExactUnlearner(KNeighborsClassifier()).fit(X, np.arange(60) % 2)
    >>> bool(find_residue(model, X[:5], X[5:]))
    True
    >>> find_residue(model.unlearn(X[:5]), X[:5], X[5:])
    []
    """
    wanted = canaries(X_forget, X_retain).without(*_schema(estimator))
    return [
        *find_in_objects(estimator, wanted),
        *find_in_pickle(estimator, wanted),
        *_find_images(estimator, X_forget, X_retain),
    ]


def assert_no_residue(estimator, X_forget, X_retain):
    """Raise AssertionError if `find_residue` finds a copy of a forgotten row.

    Parameters
    ----------
    estimator : estimator instance
    X_forget, X_retain : array-like, sparse matrix or data frame

    Raises
    ------
    AssertionError
        With the first findings.
    """
    found = find_residue(estimator, X_forget, X_retain)
    if found:
        more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
        raise AssertionError(
            f"{type(estimator).__name__} still holds values of forgotten rows: "
            f"{'; '.join(found[:3])}{more}."
        )


def find_in_objects(estimator, wanted):
    """Search all objects that can be reached from an estimator.

    Parameters
    ----------
    estimator : object
    wanted : Canaries

    Returns
    -------
    list of str
        Findings, with the path to the first place.
    """
    search = CanarySearch(wanted)
    for path, leaf, is_schema in leaves(estimator):
        if is_schema:
            continue
        if isinstance(leaf, str):
            search.strings([leaf], path)
        elif isinstance(leaf, numbers.Real):
            search.number(leaf, path)
        elif isinstance(leaf, np.ndarray):
            search.array(leaf, path)
        else:
            search.buffer(leaf, path)
    return search.findings()


def find_in_pickle(estimator, wanted):
    """Search the pickle of an object at every offset.

    Parameters
    ----------
    estimator : object
        One that cannot be pickled has nothing to be found there.
    wanted : Canaries

    Returns
    -------
    list of str
    """
    try:
        data = pickle.dumps(estimator, protocol=5)
    except UNPICKLABLE:
        return []
    search = CanarySearch(wanted)
    search.buffer(data, "the pickle")
    return search.findings()


def _find_images(estimator, X_forget, X_retain):
    """Search for the forgotten rows as the fitted steps transform them.

    The steps after a transformer, and what lies around them, must not hold a
    single value. The transformer itself may by chance: the image of a missing
    value is a statistic that it has to keep.
    """
    inner = getattr(estimator, "estimator_", None)
    if hasattr(inner, "steps") and not hasattr(estimator, "steps"):
        return _find_images(inner, X_forget, X_retain)
    steps = [step for _, step in getattr(estimator, "steps", [("", estimator)])]
    around = {k: v for k, v in vars(estimator).items() if k != "steps"}
    found = []
    for i, step in enumerate(steps):
        if step is None or isinstance(step, str):
            continue
        if not hasattr(step, "transform"):
            break
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                images = step.transform(X_forget), step.transform(X_retain)
        except Exception:  # whatever a step refuses, an unknown category say
            break
        known = cells(X_retain)[1], ()
        X_forget, X_retain = images
        wanted = canaries(*images, bits=IMAGE_BITS).without(*known)
        places = [(step, wanted.pairs_only())]
        if hasattr(estimator, "steps"):
            places.append(([around, *steps[i + 1 :]], wanted))
        for place, values in places:
            values = values.without(*_schema(place))
            finds = find_in_objects(place, values) + find_in_pickle(place, values)
            name = type(step).__name__
            found += [f"of images under {name}: {find}" for find in finds]
    return found


def _schema(estimator):
    """Return numbers and strings that are no secret: parameters and names."""
    values, strings = [np.empty(0)], set()
    for _, leaf, is_schema in leaves(estimator):
        if not is_schema:
            continue
        if isinstance(leaf, str):
            strings.add(leaf)
        elif isinstance(leaf, numbers.Real):
            values.append(as_float(np.array([leaf])))
        elif isinstance(leaf, np.ndarray):
            values.append(as_float(leaf).ravel())
            strings.update(texts(leaf))
    return np.concatenate(values), strings
