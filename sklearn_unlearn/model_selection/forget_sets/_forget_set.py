"""One function that chooses the rows of a forget set."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.utils import check_random_state, column_or_1d, indexable
from sklearn.utils.multiclass import type_of_target

from sklearn_unlearn.model_selection.forget_sets._difficulty import (
    forget_set_difficulty,
)
from sklearn_unlearn.model_selection.forget_sets._subsets import subset_predictions
from sklearn_unlearn.model_selection.forget_sets._taking import (
    N_FORGET,
    check_groups,
    check_n_forget,
    take_first,
)
from sklearn_unlearn.model_selection.forget_sets._worst_case import (
    worst_case_forget_set,
)
from sklearn_unlearn.utils._sklearn_compat import (
    HasMethods,
    StrOptions,
    _num_samples,
    validate_params,
)

__all__ = ["make_forget_set"]

BY_MODEL = {"memorized", "redundant", "influential", "worst_case"}


@validate_params(
    {
        "y": ["array-like", None],
        "n_forget": [*N_FORGET, None],
        "kind": [StrOptions({"random", "class", "range", "group", *BY_MODEL})],
        "estimator": [HasMethods(["fit", "predict"]), None],
        "groups": ["array-like", None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=False,
)
def make_forget_set(
    X,
    y,
    n_forget=None,
    *,
    kind="random",
    which=None,
    estimator=None,
    groups=None,
    random_state=None,
    **params,
):
    """Choose rows to forget, by a plan.

    The kinds are told in the :ref:`user guide <forget_sets>`.

    Parameters
    ----------
    X, y : array-like of shape (n_rows, n_features) and (n_rows,)
        Rows and targets. ``"random"`` and ``"group"`` need no targets.
    n_forget : int, float or None, default=None
        Number of rows, or their share. None: all rows of a class or of a group.
    kind : {"random", "class", "range", "group", "memorized", "redundant", \
            "influential", "worst_case"}, default="random"
        The plan. The last four need `estimator`.
    which : object, default=None
        A label, ``"lowest"`` or ``"highest"`` of a range, or an id; None: by lot.
    estimator : estimator instance, default=None
        A classifier or regressor, which is cloned.
    groups : array-like of shape (n_rows,), default=None
        Ids. Whole groups are chosen, until there are `n_forget` rows or more.
    random_state : int, RandomState instance or None, default=None
        Source of all that is drawn.
    **params : dict
        Of :func:`forget_set_difficulty` or :func:`worst_case_forget_set`: `n_jobs`.

    Returns
    -------
    ndarray of bool, shape (n_rows,)
        The forget set.

    See Also
    --------
    make_corruption : Plants wrong labels, swapped classes or a backdoor.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_unlearn.model_selection import make_forget_set
    >>> X, y = load_iris(return_X_y=True)
    >>> make_forget_set(X, y, kind="class", which=2).nonzero()[0][[0, -1]]
    array([100, 149])
    """
    X, y, groups = indexable(X, y, groups)
    _check_arguments(kind, y, n_forget, estimator, groups, which, params)
    rows = _Rows(X, y, groups, n_forget, random_state)
    if kind in BY_MODEL:
        return rows.by_model(kind, estimator, params)
    return getattr(rows, f"by_{kind}")(which)


class _Rows:
    """The kinds, one function each."""

    def __init__(self, X, y, groups, n_forget, random_state):
        self.n_rows, self.rng = _num_samples(X), check_random_state(random_state)
        self.X, self.y = X, None if y is None else column_or_1d(y)
        self.groups = None if groups is None else check_groups(groups, self.n_rows)
        self.n_forget = n_forget

    def by_random(self, which):
        """Mark rows, or whole groups, with equal probability."""
        return self._highest(np.zeros(self.n_rows))

    def by_group(self, which):
        """Mark one group, or as many as the number of rows takes."""
        if self.n_forget is not None:
            return self.by_random(which)
        return self._all_of(self.groups, which, "ids in groups")

    def by_class(self, which):
        """Mark rows of one class, or all of them."""
        mask = self._all_of(self.y, which, "labels of y")
        if self.n_forget is None:
            return mask
        rows = self.rng.permutation(np.flatnonzero(mask))
        return self._mask(rows[: self._number(len(rows), "rows of the class")])

    def by_range(self, which):
        """Mark rows that follow one another in the order of the targets."""
        number = self._number()
        last = self.n_rows - number
        starts = {None: self.rng.randint(last + 1), "lowest": 0, "highest": last}
        order = self.rng.permutation(self.n_rows)
        order = order[np.argsort(self.y[order], kind="stable")]
        return self._mask(order[starts[which] :][:number])

    def by_model(self, kind, estimator, params):
        """Mark the rows of the highest scores."""
        fit = (estimator, self.X, self.y)
        params = {**params, "random_state": self.rng}
        if kind == "worst_case":
            return worst_case_forget_set(*fit, self._number(), **params)
        if self.groups is not None and "predictions" not in params:
            # scores by models that know no row of the group
            params = {"n_fits": 50, **params, "groups": self.groups}
            params = {"predictions": subset_predictions(*fit, **params)}
        method = "influence" if kind == "influential" else "memorization"
        scores = forget_set_difficulty(*fit, method=method, **params)
        return self._highest(-np.abs(scores) if kind == "redundant" else scores)

    def _number(self, n_eligible=None, of="rows of X"):
        return check_n_forget(self.n_forget, self.n_rows, n_eligible, of)

    def _highest(self, scores):
        return take_first(scores, self._number(), self.rng, self.groups)

    def _all_of(self, labels, which, among):
        """Mark all rows of one label."""
        known = np.unique(labels)
        label = known[self.rng.randint(len(known))] if which is None else which
        mask = np.asarray(labels == label)
        if mask.shape != (self.n_rows,) or not mask.any() or mask.all():
            raise ValueError(
                f"which={label!r} must be one of several {among}, of which there are "
                f"{len(known)}."
            )
        return mask

    def _mask(self, rows):
        mask = np.zeros(self.n_rows, dtype=bool)
        mask[rows] = True
        return mask


def _check_arguments(kind, y, n_forget, estimator, groups, which, params):
    """Raise if the kind lacks what it needs, or is given what it has no use for."""
    by_model, needs_y = kind in BY_MODEL, kind not in ("random", "group")
    lacks = {
        "estimator, the model that knows the rows": by_model and estimator is None,
        "y, the targets": needs_y and y is None,
        "groups, the id of each row": kind == "group" and groups is None,
        "n_forget, the number of rows": n_forget is None
        and kind not in ("class", "group"),
    }
    by_label = kind in ("class", "range", "group")
    useless = {
        "groups": groups is not None and kind in ("class", "range", "worst_case"),
        "estimator": estimator is not None and not by_model,
        "which": which is not None and not by_label,
        **dict.fromkeys(params, not by_model),
    }
    for name in (name for name, is_so in lacks.items() if is_so):
        raise ValueError(f'kind="{kind}" needs {name}.')
    for name in (name for name, is_so in useless.items() if is_so):
        raise ValueError(f'kind="{kind}" has no use for {name}: leave it out.')
    if kind == "group" and None not in (which, n_forget):
        raise ValueError("which is the group to forget, all of it: leave n_forget out.")
    if kind == "range" and which not in (None, "lowest", "highest"):
        raise ValueError(
            f'which must be "lowest", "highest" or None for a range; got {which!r}.'
        )
    if kind == "class" and type_of_target(y).startswith("continuous"):
        raise ValueError(
            'kind="class" needs classes, but y holds numbers: use kind="range".'
        )
