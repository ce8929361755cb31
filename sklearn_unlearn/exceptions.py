"""Errors and warnings of the package, which scikit-learn has none for."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import sklearn
from sklearn.exceptions import InconsistentVersionWarning

__all__ = [
    "AmbiguousRowsError",
    "BudgetExceededError",
    "PipelineMemoryWarning",
    "PipelineRetrainWarning",
    "RequestInProgressError",
    "UnknownRowsError",
    "UnlearnerVersionWarning",
    "UnlearningError",
    "UnlearningWarning",
]


class UnlearningError(Exception):
    """A request to forget was refused; nothing has changed.

    It is the common base of the errors of this package. Each of them is also one of
    Python's own errors, such as a ``ValueError``, and may be caught as that.

    Parameters
    ----------
    *args : object
        What Python's errors take: the message.
    positions : iterable of int, default=()
        Positions in the request of the rows or ids that are the reason.
    groups : iterable, default=()
        The ids that are the reason, if the request was made by ids.

    Attributes
    ----------
    positions : tuple of int
        Positions in ``X_forget``, or in ``groups``, of the rows or ids that are the
        reason; empty if it is none of them in particular.
    groups : tuple
        The ids that are the reason, as they were given; empty if the request was not
        made by ids.

    See Also
    --------
    UnknownRowsError : The rows are not among the kept ones.
    AmbiguousRowsError : More than one choice of rows is possible.
    BudgetExceededError : A certified model has too little noise left.

    Examples
    --------
    >>> from sklearn_unlearn.exceptions import UnknownRowsError, UnlearningError
    >>> issubclass(UnknownRowsError, UnlearningError)
    True
    """

    def __init__(self, *args, positions=(), groups=()):
        super().__init__(*args)
        self.positions = tuple(int(position) for position in positions)
        self.groups = tuple(groups)


class UnknownRowsError(UnlearningError, ValueError):
    """Some rows of a request were never fitted, or are forgotten already.

    Nothing has changed when it is raised. Pass ``on_unknown="ignore"`` to
    ``unlearn`` to forget the other rows of the request.

    Parameters
    ----------
    *args : object
        What Python's errors take: the message.
    positions : iterable of int, default=()
        See below.
    groups : iterable, default=()
        See below.

    Attributes
    ----------
    positions : tuple of int
        Positions in ``X_forget``, or in ``groups``, of what is unknown.
    groups : tuple
        The unknown ids, if the request was made by ids.

    See Also
    --------
    AmbiguousRowsError : The rows exist, but more than one choice is possible.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_unlearn.exact import ExactUnlearner
    >>> from sklearn_unlearn.exceptions import UnknownRowsError
    >>> X, y = np.arange(12.0).reshape(6, 2), [0, 1, 0, 1, 0, 1]
    >>> model = ExactUnlearner(GaussianNB()).fit(X, y)
    >>> try:
    ...     model.unlearn([[7.0, 7.0]])
    ... except UnknownRowsError as error:
    ...     print("refused:", error.positions)
    refused: (0,)
    """


class AmbiguousRowsError(UnlearningError, ValueError):
    """A row of a request fits several kept rows that are not the same.

    Nothing has changed when it is raised. Equal rows with different targets
    are told apart by ``y_forget``, those of different people by ``groups``; rows
    within rounding distance of one another by exact values.

    Parameters
    ----------
    *args : object
        What Python's errors take: the message.
    positions : iterable of int, default=()
        See below.
    groups : iterable, default=()
        See below.

    Attributes
    ----------
    positions : tuple of int
        Positions in ``X_forget``, or in ``groups``, of the rows that are unclear.
    groups : tuple
        The ids that are unclear, if the request was made by ids.

    See Also
    --------
    UnknownRowsError : The rows are not among the kept ones.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_unlearn.exact import ExactUnlearner
    >>> from sklearn_unlearn.exceptions import AmbiguousRowsError
    >>> X, y = np.array([[0.0], [0.0], [1.0], [2.0]]), [0, 1, 0, 1]
    >>> model = ExactUnlearner(GaussianNB()).fit(X, y)
    >>> try:
    ...     model.unlearn([[0.0]])
    ... except AmbiguousRowsError as error:
    ...     print("which of the two?")
    which of the two?
    >>> model.unlearn([[0.0]], [1]).n_forgotten_
    1
    """


class BudgetExceededError(UnlearningError, RuntimeError):
    """A certified model has noise left for fewer rows than a request wants to forget.

    Nothing has changed when it is raised, which is what ``on_budget="raise"`` asks
    for. A new ``fit``, with fresh noise, starts a new budget.

    Parameters
    ----------
    *args : object
        What Python's errors take: the message.
    positions : iterable of int, default=()
        See below.
    groups : iterable, default=()
        See below.

    Attributes
    ----------
    positions : tuple of int
        Empty: no row in particular is the reason.
    groups : tuple
        Empty: no id in particular is the reason.

    See Also
    --------
    sklearn_unlearn.exact.CertifiedLogisticRegression : May raise it.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.preprocessing import normalize
    >>> from sklearn_unlearn.exact import CertifiedLogisticRegression
    >>> from sklearn_unlearn.exceptions import BudgetExceededError
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X = normalize(X)  # longer rows would be shortened
    >>> model = CertifiedLogisticRegression(sigma=0.01, on_budget="raise").fit(X, y)
    >>> try:
    ...     model.unlearn(X[:100])
    ... except BudgetExceededError as error:
    ...     print("fit again")
    fit again
    """


class RequestInProgressError(UnlearningError, RuntimeError):
    """An estimator was to be changed from within a change of itself.

    A callback in ``fit``, say, may not make the estimator forget that is being fitted.
    Nothing has changed when it is raised. From other threads, requests wait.

    Parameters
    ----------
    *args : object
        What Python's errors take: the message.
    positions : iterable of int, default=()
        See below.
    groups : iterable, default=()
        See below.

    Attributes
    ----------
    positions : tuple of int
        Empty: no row in particular is the reason.
    groups : tuple
        Empty: no id in particular is the reason.

    See Also
    --------
    UnlearningError : The base of the errors of this package.

    Examples
    --------
    >>> from sklearn_unlearn.exceptions import RequestInProgressError
    >>> issubclass(RequestInProgressError, RuntimeError)
    True
    """


class UnlearningWarning(UserWarning):
    """Forgetting went well, but something outside the model needs attention.

    A cache on disk may still hold the rows, say, which only its owner can clear.

    See Also
    --------
    PipelineMemoryWarning : Rows of the past will have to be passed again.

    Examples
    --------
    >>> from sklearn_unlearn.exceptions import UnlearningWarning
    >>> issubclass(UnlearningWarning, UserWarning)
    True
    """


class PipelineMemoryWarning(UnlearningWarning):
    """A pipeline without kept rows has steps that cannot forget without them.

    It names the steps; ``unlearn`` must then be given ``X_retain`` and ``y_retain``.

    See Also
    --------
    UnlearningWarning : The parent of this warning.

    Examples
    --------
    >>> from sklearn_unlearn.exceptions import PipelineMemoryWarning
    >>> issubclass(PipelineMemoryWarning, UserWarning)
    True
    """


class PipelineRetrainWarning(UnlearningWarning):
    """A last step that would have been kept is fitted again on the retained rows.

    After an earlier step has forgotten, the old coordinates of rows may not be an
    affine map of the new ones, or the last step may have no first linear layer
    that could take the map in. It names the step that forced it.

    See Also
    --------
    UnlearningWarning : The parent of this warning.

    Examples
    --------
    >>> from sklearn_unlearn.exceptions import PipelineRetrainWarning
    >>> issubclass(PipelineRetrainWarning, UserWarning)
    True
    """


class UnlearnerVersionWarning(InconsistentVersionWarning):
    """A model was saved with other versions than it is loaded with.

    It is scikit-learn's warning of that kind, and may be caught as that.

    Parameters
    ----------
    estimator_name : str
        Name of the class of the estimator.
    versions : dict of str to (str, str)
        By the name of a module, its version when the model was saved and that of now,
        for those that differ: of ``sklearn_unlearn``, ``sklearn`` and, for networks,
        ``torch``.

    Attributes
    ----------
    estimator_name, versions
        As above.
    current_sklearn_version, original_sklearn_version : str
        The version of scikit-learn now, and when the model was saved.

    See Also
    --------
    sklearn.exceptions.InconsistentVersionWarning : The parent of this warning.

    Examples
    --------
    >>> import pickle
    >>> import warnings
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_unlearn.exact import ExactUnlearner
    >>> from sklearn_unlearn.exceptions import UnlearnerVersionWarning
    >>> file = pickle.dumps(ExactUnlearner(GaussianNB()))
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", UnlearnerVersionWarning)
    ...     model = pickle.loads(file)  # by the same versions
    """

    def __init__(self, estimator_name, versions):
        self.versions = dict(versions)
        saved, _ = self.versions.get("sklearn", (sklearn.__version__, None))
        super().__init__(
            estimator_name=estimator_name,
            current_sklearn_version=sklearn.__version__,
            original_sklearn_version=saved,
        )

    def __str__(self):
        saved, now = (
            " and ".join(f"{name} {pair[i]}" for name, pair in self.versions.items())
            for i in (0, 1)
        )
        return (
            f"{self.estimator_name} was saved with {saved}, and is loaded with {now}. "
            "It may fail, or predict something else. Compare its predictions with "
            "those from before, or fit it again."
        )
