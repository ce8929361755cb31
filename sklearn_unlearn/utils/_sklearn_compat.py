"""The only place that touches what scikit-learn does not promise to keep."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import warnings
from contextlib import contextmanager

import numpy as np
from sklearn.base import _fit_context
from sklearn.compose._column_transformer import _is_empty_column_selection
from sklearn.preprocessing._data import _handle_zeros_in_scale, _is_constant_feature
from sklearn.tree._tree import Tree
from sklearn.utils import _safe_indexing
from sklearn.utils._mask import _get_mask
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    Options,
    RealNotInt,
    StrOptions,
    validate_parameter_constraints,
    validate_params,
)
from sklearn.utils.metadata_routing import _routing_enabled
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import (
    _check_feature_names,
    _check_n_features,
    _check_sample_weight,
    _is_arraylike,
    _num_samples,
)

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # before scikit-learn 1.9

    class CallbackSupportMixin:
        """Does nothing: there are no callbacks to support."""


INTERRUPTED = "Training interrupted by user"

__all__ = [
    "CallbackSupportMixin",
    "HasMethods",
    "Interval",
    "Options",
    "RealNotInt",
    "StrOptions",
    "_check_feature_names",
    "_check_n_features",
    "_check_sample_weight",
    "_fit_context",
    "_get_mask",
    "_handle_zeros_in_scale",
    "_is_arraylike",
    "_is_constant_feature",
    "_is_empty_column_selection",
    "_num_samples",
    "_routing_enabled",
    "_safe_indexing",
    "available_function",
    "begin_callbacks",
    "callbacks_within",
    "clear_gaps",
    "copy_callbacks",
    "end_callbacks",
    "find_infrequent",
    "get_svd_solver",
    "get_tfidf_transformer",
    "groups_infrequent",
    "has_platt_scaling",
    "infrequent_places",
    "interrupts_raised",
    "rebind_metadata_request",
    "routed_fit_request",
    "set_n_components_out",
    "set_svc_gamma",
    "set_target_scale",
    "set_tfidf_transformer",
    "task_within",
    "validate_parameter_constraints",
    "validate_parameters",
    "validate_params",
    "without_callbacks",
    "without_sklearn_checks",
    "wrap_available",
]

# Attributes of scikit-learn's objects that are private to it. The functions below
# are the only ones that touch them, which ``tests/utils/test_sklearn_compat.py``
# checks.
PRIVATE_ATTRIBUTES = frozenset(
    {
        "_callback_fit_ctx",
        "_children_map",
        "_fit_svd_solver",
        "_gamma",
        "_get_metadata_request",
        "_identify_infrequent",
        "_infrequent_enabled",
        "_infrequent_indices",
        "_init_callback_context",
        "_max_components",
        "_metadata_request",
        "_missing_indices",
        "_n_features_out",
        "_parent_callback_ctx",
        "_skip_test",
        "_probA",
        "_skl_callbacks",
        "_tfidf",
        "_validate_params",
        "_y_train_mean",
        "_y_train_std",
    }
)


def routed_fit_request(estimator, names):
    """The metadata request of `estimator` for these arguments of ``fit`` alone.

    ``MetadataRouter.add_self_request(estimator)`` would also announce what
    inherited methods take (``score(sample_weight=)`` of a pipeline), and make
    every search that passes sample weights fail.
    """
    from sklearn.utils.metadata_routing import MetadataRequest

    own = estimator._get_metadata_request()
    try:
        request = MetadataRequest(owner=estimator)
    except TypeError:  # pragma: no cover - some versions take the name
        request = MetadataRequest(owner=type(estimator).__name__)
    for name in names:
        request.fit.add_request(param=name, alias=own.fit.requests.get(name))
    return request


def groups_infrequent(encoder):
    """Whether an encoder puts infrequent categories together."""
    return encoder._infrequent_enabled


def infrequent_places(encoder):
    """Return the places of each column's infrequent categories, as they were fitted.

    Returns
    -------
    list of ndarray or None
        None for a column without any.
    """
    return encoder._infrequent_indices


def find_infrequent(encoder, categories, counts, n_rows):
    """Return the places that infrequent categories would have in a fit.

    Parameters
    ----------
    encoder : OneHotEncoder or OrdinalEncoder
        Fitted; it puts infrequent categories together.
    categories : list of ndarray
        Categories of each column.
    counts : iterable of ndarray
        How many rows have each of them.
    n_rows : int

    Returns
    -------
    list of ndarray or None
        None for a column without any.
    """
    places = []
    for j, (values, count) in enumerate(zip(categories, counts, strict=True)):
        if hasattr(encoder, "_missing_indices") and values[-1] != values[-1]:
            count = count[:-1]  # an ordinal encoder has a code of its own for NaN
        places.append(encoder._identify_infrequent(count, n_rows, j))
    return places


def get_tfidf_transformer(vectorizer):
    """Return the transformer within a `TfidfVectorizer`; None for other vectorizers."""
    return getattr(vectorizer, "_tfidf", None)


def set_tfidf_transformer(vectorizer, transformer):
    """Replace the transformer within a `TfidfVectorizer`."""
    vectorizer._tfidf = transformer


def set_target_scale(process, mean, std):
    """Set the mean and the scale by which a Gaussian process normalizes targets."""
    process._y_train_mean, process._y_train_std = mean, std


def set_svc_gamma(machine, gamma):
    """Set the value of `gamma` with which a support vector machine predicts."""
    machine._gamma = gamma


def has_platt_scaling(machine):
    """Whether a support vector machine has cross-validated its probabilities."""
    return len(machine._probA) > 0


def get_svd_solver(pca):
    """Return the solver that ``svd_solver="auto"`` has chosen in the last fit."""
    return getattr(pca, "_fit_svd_solver", pca.svd_solver)


def set_n_components_out(discriminant, n_components):
    """Set how many components a linear discriminant analysis transforms to."""
    discriminant._max_components = discriminant._n_features_out = n_components


def validate_parameters(estimator):
    """Raise scikit-learn's error if a constructor parameter is not valid."""
    estimator._validate_params()


def begin_callbacks(estimator, max_epochs, X, y):
    """Tell the callbacks of scikit-learn that a fit of so many epochs begins.

    Returns
    -------
    CallbackContext or None
        None if there is no callback.
    """
    heard = "_skl_callbacks" in vars(estimator) or (
        "_parent_callback_ctx" in vars(estimator)
    )
    if not heard or not hasattr(estimator, "_init_callback_context"):
        return None
    context = estimator._init_callback_context(max_subtasks=max_epochs)
    return context.call_on_fit_task_begin(estimator=estimator, X=X, y=y)


def end_callbacks(context, estimator, X, y, fitted):
    """Tell the callbacks of scikit-learn that a fit ends.

    Parameters
    ----------
    context : CallbackContext or None
        What `begin_callbacks` returned.
    estimator : estimator instance
    X, y : training rows and targets
    fitted : callable () -> dict
        Attributes that make a copy of the estimator predict.
    """
    if context is not None:
        context.call_on_fit_task_end(
            estimator=estimator, X=X, y=y, reconstruction_attributes=fitted
        )


def without_sklearn_checks(tags):
    """Return the tags of an estimator whose samples are not those of the checks."""
    tags._skip_test = True
    return tags


@contextmanager
def task_within(context, estimator, name, X, y):
    """Tell callbacks that a part of a fit begins, and that it ends.

    Parameters
    ----------
    context : CallbackContext or None
        What `begin_callbacks` returned.
    estimator : estimator instance
    name : str
        Of the part.
    X, y : training rows and targets
    """
    if context is None:
        yield
        return
    task = context.subcontext(task_name=name)
    task.call_on_fit_task_begin(estimator=estimator, X=X, y=y)
    yield
    task.call_on_fit_task_end(
        estimator=estimator, X=X, y=y, reconstruction_attributes=dict
    )


@contextmanager
def callbacks_within(estimator, inner, X, y):
    """Let the callbacks of a meta-estimator hear how it fits the one within.

    Only the first fit that the meta-estimator begins is heard, and no refit.
    """
    context = vars(estimator).get("_callback_fit_ctx")
    if context is None or context._children_map:
        yield
        return
    task = context.subcontext(task_name="fit-estimator")
    with task.propagate_callback_context(inner):
        task.call_on_fit_task_begin(estimator=estimator, X=X, y=y)
        yield
        task.call_on_fit_task_end(estimator=estimator, X=X, y=y)


def without_callbacks(estimator):
    """Take the callbacks of scikit-learn 1.9 off `estimator` and return them.

    A refit inside ``unlearn`` must not open a second run in the user's monitor.
    """
    return estimator.__dict__.pop("_skl_callbacks", None)


def copy_callbacks(old, new):
    """Give `new` the callbacks of scikit-learn 1.9 that `old` has, if it has any."""
    callbacks = vars(old).get("_skl_callbacks")
    if callbacks is not None:
        new._skl_callbacks = callbacks


def available_function(method):
    """Return the function of a method that is perhaps an `available_if`."""
    return getattr(method, "fn", method)


def wrap_available(method, function):
    """Return `function` in the place of a method, available where that is."""
    return available_if(method.check)(function) if hasattr(method, "fn") else function


def clear_gaps(tree):
    """Set to zero the bytes of a tree's nodes that belong to no field of them.

    Nothing happens to what is no tree of scikit-learn.
    """
    if not isinstance(tree, Tree):
        return
    nodes = tree.__getstate__()["nodes"]  # the memory of the tree itself
    is_gap = np.ones(nodes.dtype.itemsize, dtype=bool)
    for dtype, start in nodes.dtype.fields.values():
        is_gap[start : start + dtype.itemsize] = False
    nodes.view(np.uint8).reshape(len(nodes), -1)[:, is_gap] = 0


def rebind_metadata_request(estimator, owner=None):
    """Make `owner`, by default the estimator, the owner of its metadata request.

    A request holds the estimator for which it was made. A clone has a copy of that
    one instead, with all that was fitted.
    """
    request = vars(estimator).get("_metadata_request")
    former, owner = (
        getattr(request, "owner", None),
        estimator if owner is None else owner,
    )
    if former is not None and former is not owner and not isinstance(former, str):
        estimator._metadata_request = copy.deepcopy(request, {id(former): owner})


@contextmanager
def interrupts_raised():
    """Let an interrupt be one: some fits of scikit-learn warn of it, and go on."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=INTERRUPTED, category=UserWarning)
        try:
            yield
        except UserWarning as warning:
            if not str(warning).startswith(INTERRUPTED):
                raise
            raise KeyboardInterrupt from warning
