"""The meta-estimator that most methods derive from."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy

from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_unlearn.base._delegation import ask_inner, delegate, inner_has
from sklearn_unlearn.base._given_rows import check_rows_of_frozen
from sklearn_unlearn.base._mixin import UnlearnerMixin
from sklearn_unlearn.base._rewritten import (
    deep_parameters,
    parameters_changed_by_fit,
)
from sklearn_unlearn.base._single_class import fit_or_constant
from sklearn_unlearn.base._steps import deep_copy, seed_where_none, unfitted_copy
from sklearn_unlearn.base._tags import takes_matrix
from sklearn_unlearn.base._uncertainty import UncertaintyMethods
from sklearn_unlearn.rows._store import Rows
from sklearn_unlearn.utils._sklearn_compat import (
    CallbackSupportMixin,
    HasMethods,
    _fit_context,
    _routing_enabled,
    begin_callbacks,
    callbacks_within,
    end_callbacks,
    routed_fit_request,
    without_callbacks,
)


class BaseUnlearner(
    UnlearnerMixin,
    UncertaintyMethods,
    MetaEstimatorMixin,
    CallbackSupportMixin,
    BaseEstimator,
):
    """Base class of the meta-estimators that fit an estimator and can forget.

    A method is a subclass whose own code is its parameters and the hook
    `_unlearn_rows`. One class serves classifiers, regressors and transformers:
    tags and methods are those of the inner estimator.

    Parameters
    ----------
    estimator : estimator instance
        What is fitted. A ``FrozenEstimator`` holds a model that is fitted
        already, on the rows given to ``fit``; it is copied, and fitted again only
        where a request leaves no other way. The original stays with the caller, who
        deletes it.
    store_training_data : bool, default=True
        Whether to keep the retained rows. Without them, ``unlearn`` must be
        given ``X_retain`` and ``y_retain``.

    See Also
    --------
    UnlearnerMixin : The contract without the inner estimator.

    Examples
    --------
    A method in a few lines, which fits anew and is called that:

    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_unlearn.base import BaseUnlearner, UnlearnerTags
    >>> class FitAnew(BaseUnlearner):
    ...     def _unlearner_tags(self):
    ...         return UnlearnerTags(guarantee="exact")
    ...
    ...     def _unlearn_rows(self, request):
    ...         rows = request.retain
    ...         self._fit_again(rows.X, rows.y, {**rows.params, **self._fit_params})
    >>> X, y = load_iris(return_X_y=True)
    >>> FitAnew(GaussianNB()).fit(X, y).unlearn(X[:5]).n_forgotten_
    5
    """

    # asked for by default, so that searches need no set_fit_request
    __metadata_request__fit = {"forget": True, "groups": True}

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit"])],
        "store_training_data": ["boolean"],
    }

    def __init__(self, estimator, *, store_training_data=True):
        self.estimator = estimator
        self.store_training_data = store_training_data

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, *, forget=None, groups=None, **fit_params):
        """Fit the inner estimator, then forget the rows that `forget` marks.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Training rows.
        y : array-like of shape (n_rows,) or (n_rows, n_outputs), default=None
            Targets.
        forget : array-like of shape (n_rows,), dtype=bool, default=None
            Rows to forget after the fit on all of them. As metadata with one
            entry per row it is cut by every splitter, which lets searches tune
            unlearners.
        groups : array-like of shape (n_rows,), default=None
            One id per row, for ``unlearn(groups=...)``.
        **fit_params : dict
            Passed to ``fit`` of the inner estimator.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        self._fit_inner(X, y, forget, groups, fit_params)
        return self

    def _fit_inner(self, X, y, forget, groups, params, transform=False):
        """Fit, mirror the schema of the inner estimator and keep the rows.

        With `transform`, return the training output of the inner estimator.
        """
        X, groups = self._take_group_column(X, groups)
        params = self._inner_params(params)
        kept = self._keep_rows(X, y, groups, params, forget)
        params = self._with_ids(params, groups)
        context = begin_callbacks(self, 1, X, y)
        if transform and not isinstance(self.estimator, FrozenEstimator):
            self.estimator_ = self._template()
            with callbacks_within(self, self.estimator_, X, y):
                output = self.estimator_.fit_transform(X, y, **params)
        else:
            self.estimator_ = self._fit_estimator(X, y, params)
            output = self.estimator_.transform(X) if transform else None
        if isinstance(self.estimator, FrozenEstimator):
            check_rows_of_frozen(self.estimator.estimator, X, y)
        self._mirror("n_features_in_", "feature_names_in_", "classes_")
        self._changed_by_fit = self._parameters_changed_by_fit()
        end_callbacks(context, self, X, y, lambda: {"estimator_": self.estimator_})
        self._attach_rows(kept)
        return output

    def _fit_estimator(self, X, y, params):
        """Fit a clone of the inner estimator; copy one that is frozen."""
        if isinstance(self.estimator, FrozenEstimator):
            return deep_copy(self.estimator.estimator)
        return self._fit_model(self.estimator, X, y, params)

    def _parameters_changed_by_fit(self):
        """Return the parameters that the fit of the inner estimator has changed."""
        if type(self.estimator_) is not type(self.estimator):  # frozen, or of skorch
            return {}
        return parameters_changed_by_fit(
            deep_parameters(self.estimator), self.estimator_
        )

    def _fit_model(self, model, X, y, params):
        """Fit a clone of a model."""
        fitted = clone(model)
        seed_where_none(fitted, getattr(self, "random_state", None))
        with callbacks_within(self, fitted, X, y):
            fitted.fit(X, y, **params)
        return fitted

    def _fit_again(self, X, y, params):
        """Fit the inner estimator anew, also one that was given frozen.

        Where a single class is left that it cannot be fitted on, the constant model
        takes its place.
        """
        template = self._template()
        without_callbacks(template)  # a refit is none of their runs
        self.estimator_ = fit_or_constant(
            lambda: self._fit_model(template, X, y, params),
            template,
            Rows(X, y, params),
        )
        self._mirror("n_features_in_", "feature_names_in_")

    def _inner_params(self, params):
        groups = params.get("groups")
        params = {n: value for n, value in params.items() if n != "groups"}
        if _routing_enabled():
            params = dict(process_routing(self, "fit", **params).estimator.fit)
        return self._with_ids(params, groups)

    @property
    def _fits_by_groups(self):
        return getattr(self.estimator, "_fits_by_groups", False)

    def _with_ids(self, params, groups):
        """Add the ids to the arguments of ``fit``, if the estimator wants them."""
        wanted = groups is not None and self._fits_by_groups
        return {**params, "groups": groups} if wanted else params

    def _params_with_ids(self, params):
        """Return arguments of a fit on the retained rows, given those per row."""
        params = {**params, **self._fit_params}
        store = self._rows
        groups = None if store is None else store.groups
        return self._with_ids(params, params.get("groups", groups))

    def _mirror(self, *names):
        """Take these attributes over from the inner estimator."""
        for name in names:
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
            else:
                self.__dict__.pop(name, None)

    def _change_coordinates(self, A, b):
        # only networks can: their first linear layer takes the map in
        in_coordinates = getattr(self.estimator_, "_in_coordinates", None)
        model = None if in_coordinates is None else in_coordinates(A, b)
        if model is None:
            return False
        self.estimator_ = model
        self._mirror("n_features_in_", "feature_names_in_")
        return True

    def _parameters_of_fit(self):
        # all others say how to unlearn
        return frozenset({"estimator", "group_column"})

    def _template(self):
        """Return an unfitted inner estimator."""
        if isinstance(self.estimator, FrozenEstimator):
            return clone(self.estimator.estimator)
        return clone(self.estimator)

    predict = delegate(
        "predict", "Predict targets.", "ndarray of shape (n_rows,): predictions."
    )
    predict_proba = delegate(
        "predict_proba",
        "Predict probabilities of classes; 0 for one that the model has lost.",
        "ndarray of shape (n_rows, n_classes): probabilities.",
    )
    predict_log_proba = delegate(
        "predict_log_proba",
        "Predict logarithms of probabilities; -inf for a class that is lost.",
        "ndarray of shape (n_rows, n_classes): log-probabilities.",
    )
    decision_function = delegate(
        "decision_function",
        "Evaluate decision functions; -inf for a class that the model has lost.",
        "ndarray of shape (n_rows,) or (n_rows, n_classes): decision values.",
    )
    score_samples = delegate(
        "score_samples", "Score rows.", "ndarray of shape (n_rows,): scores."
    )
    transform = delegate(
        "transform",
        "Transform rows.",
        "array-like of shape (n_rows, n_outputs): transformed rows.",
    )
    inverse_transform = delegate(
        "inverse_transform",
        "Undo the transformation.",
        "array-like of shape (n_rows, n_features): rows in the original coordinates.",
    )

    def _check_model_has(self, method):
        return inner_has(method)(self)

    def _ask_model(self, method, X, params):
        check_is_fitted(self)
        return ask_inner(self, method, X, params)

    @property
    def offset_(self):
        """Score below which an outlier detector calls a row an outlier."""
        return self.estimator_.offset_

    @available_if(inner_has("score"))
    def score(self, X, y=None, **params):
        """Return the score of the inner estimator.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows.
        y : array-like of shape (n_rows,) or (n_rows, n_outputs), default=None
            Targets.
        **params : dict
            Passed on to the inner estimator.

        Returns
        -------
        float
            The score.
        """
        check_is_fitted(self)
        if _routing_enabled():
            params = process_routing(self, "score", **params).estimator.score
        return self.estimator_.score(self._without_group_column(X), y, **params)

    @available_if(inner_has("transform"))
    @_fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X, y=None, **fit_params):
        """Fit, then transform the training rows.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Training rows.
        y : array-like of shape (n_rows,), default=None
            Targets.
        **fit_params : dict
            Passed to ``fit``.

        Returns
        -------
        array-like of shape (n_rows, n_outputs)
            Transformed rows.
        """
        if "forget" in fit_params:
            return self.fit(X, y, **fit_params).transform(X)
        groups = fit_params.pop("groups", None)
        return self._fit_inner(X, y, None, groups, fit_params, transform=True)

    @available_if(inner_has("get_feature_names_out"))
    def get_feature_names_out(self, input_features=None):
        """Return the names of the output features.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the input features.

        Returns
        -------
        ndarray of str
            Names of the output features.
        """
        check_is_fitted(self)
        return self.estimator_.get_feature_names_out(input_features)

    @available_if(inner_has("set_output"))
    def set_output(self, *, transform=None):
        """Set the container that ``transform`` returns.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            The container; None changes nothing.

        Returns
        -------
        self : object
            The estimator.
        """
        self.estimator.set_output(transform=transform)
        if "estimator_" in self.__dict__:
            self.estimator_.set_output(transform=transform)
        return self

    def get_metadata_routing(self):
        """Return who asks for which metadata.

        Returns
        -------
        MetadataRouter
            Routing of this estimator.
        """
        mapping = MethodMapping()
        for method in (
            "fit",
            "predict",
            "predict_proba",
            "predict_log_proba",
            "decision_function",
            "score_samples",
            "transform",
            "inverse_transform",
            "score",
        ):
            # not every scikit-learn knows how to route each of them
            try:
                mapping.add(caller=method, callee=method)
            except ValueError:
                continue
        router = MetadataRouter(owner=self)
        router.add_self_request(routed_fit_request(self, ("forget", "groups")))
        return router.add(estimator=self.estimator, method_mapping=mapping)

    def __getstate__(self):
        """Leave the original model out of the pickle once rows are forgotten.

        As a parameter a frozen, or already fitted, estimator would carry the
        forgotten rows along.
        """
        state = super().__getstate__()
        if state.get("n_forgotten_"):
            state = dict(state)
            if isinstance(self.estimator, FrozenEstimator):
                state["estimator"] = FrozenEstimator(self.estimator_)
            else:
                state["estimator"] = unfitted_copy(self.estimator)
        return state

    def __sklearn_is_fitted__(self):
        return "estimator_" in self.__dict__

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        for name in (
            "estimator_type",
            "target_tags",
            "classifier_tags",
            "regressor_tags",
            "transformer_tags",
            "input_tags",
            "non_deterministic",
        ):
            setattr(tags, name, copy.deepcopy(getattr(inner, name)))
        tags.input_tags.pairwise = takes_matrix(self.estimator)
        return tags
