"""Tags of unlearners."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass, fields

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags, get_tags

__all__ = [
    "GUARANTEES",
    "UnlearnerTags",
    "is_unlearner",
    "takes_matrix",
    "with_unlearner_tags",
]

# from the strongest to none
GUARANTEES = ("exact", "exact_law", "certified", "approximate")


@dataclass(slots=True)
class UnlearnerTags:
    """Promise of an estimator about forgetting, and the data that it needs for it.

    They are the field ``unlearner_tags`` of the tags of an unlearner.

    Parameters
    ----------
    guarantee : {"exact", "exact_law", "certified", "approximate"}
        ``"exact"``: the state that ``fit`` on the retained rows gives;
        ``"exact_law"``: a state with the same distribution; ``"certified"``:
        bounded by the ``certificate_``; ``"approximate"``: no promise.
    requires_retain : bool, default=True
        Whether ``X_retain`` must be passed when no rows are kept.
    requires_target : bool, default=True
        Whether ``y_forget`` must be passed when no rows are kept.

    See Also
    --------
    UnlearnerMixin : The contract that these tags describe.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.utils import get_tags
    >>> from sklearn_unlearn.exact import ExactUnlearner
    >>> get_tags(ExactUnlearner(Ridge())).unlearner_tags.guarantee
    'exact'
    """

    guarantee: str
    requires_retain: bool = True
    requires_target: bool = True


@dataclass(slots=True)
class _TagsWithUnlearner(Tags):
    """scikit-learn's tags have slots, so one more field needs a subclass."""

    unlearner_tags: UnlearnerTags | None = None


def with_unlearner_tags(tags, unlearner_tags):
    """Return `tags` of scikit-learn together with those of an unlearner."""
    values = {field.name: getattr(tags, field.name) for field in fields(Tags)}
    return _TagsWithUnlearner(**values, unlearner_tags=unlearner_tags)


def takes_matrix(estimator):
    """Tell whether an estimator takes a kernel or distance matrix between all rows.

    Of a pipeline its first estimator decides; scikit-learn's tags do not look behind
    "passthrough".
    """
    if not isinstance(estimator, Pipeline):
        return get_tags(estimator).input_tags.pairwise
    steps = [step for _, step in estimator.steps if hasattr(step, "fit")]
    return bool(steps) and takes_matrix(steps[0])


def is_unlearner(estimator):
    """Tell whether an estimator has the contract of ``unlearn``.

    Parameters
    ----------
    estimator : estimator instance
        The estimator to test.

    Returns
    -------
    bool
        True if the estimator carries ``unlearner_tags``. Not of a
        ``FrozenEstimator``, which shows the tags of the model that it keeps as it is.

    See Also
    --------
    UnlearnerMixin : What an unlearner can do.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn_unlearn.base import is_unlearner
    >>> from sklearn_unlearn.exact import Retrain
    >>> is_unlearner(Ridge()), is_unlearner(Retrain(Ridge()))
    (False, True)
    """
    if isinstance(estimator, FrozenEstimator):
        return False
    return getattr(get_tags(estimator), "unlearner_tags", None) is not None
