"""Exact forgetting by the fastest way that there is for an estimator."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from sklearn_unlearn.base import BaseUnlearner, UnlearnerTags
from sklearn_unlearn.base._group_column import GROUP_COLUMN
from sklearn_unlearn.base._single_class import (
    constant_model,
    has_unseen_columns,
    single_class,
)
from sklearn_unlearn.exact._cost import UnlearningCost, reason_to_refit
from sklearn_unlearn.exact._rule import Outcome, Rule, RuleState, find_rule
from sklearn_unlearn.exact._summary_rule import SummaryRule
from sklearn_unlearn.utils._sklearn_compat import callbacks_within


class ExactUnlearner(BaseUnlearner):
    """Forget rows of a scikit-learn estimator exactly, and fast where it can be.

    After ``unlearn`` the fitted estimator is the one that ``fit`` gives on the
    retained rows. How it gets there depends on the type of the estimator:

    * ``StandardScaler``, ``SimpleImputer`` (mean), ``VarianceThreshold``, ``PCA``
      (covariance solver), ``LinearRegression``, ``Ridge``, all naive Bayes
      classifiers, ``LinearDiscriminantAnalysis`` (svd and lsqr solvers),
      ``QuadraticDiscriminantAnalysis``, ``NearestCentroid`` (Euclidean),
      ``DummyClassifier`` and ``DummyRegressor`` (mean) take the rows off sums kept
      by block of rows;
    * ``RobustScaler``, ``QuantileTransformer`` (of all rows), ``SimpleImputer``,
      ``OneHotEncoder``, ``OrdinalEncoder``, ``TargetEncoder``, ``CountVectorizer``,
      ``TfidfVectorizer`` and ``TfidfTransformer`` take them off counts of the values
      of each column;
    * ``MinMaxScaler`` and ``MaxAbsScaler`` re-read only the blocks that held a
      forgotten row;
    * ``RidgeCV`` (leave-one-out) chooses its penalty anew from such sums and one
      pass over the rows;
    * ``KernelRidge``, and ``GaussianProcessRegressor`` without an optimizer, take
      rows off a Cholesky factor;
    * ``SVC`` (any ``gamma`` but ``"scale"``) stays as it is, unless a support vector
      is to be forgotten;
    * ``LogisticRegression`` (l2 penalty, up to 2000 coefficients) goes by Newton
      steps from the present optimum to the new one;
    * ``ColumnTransformer``, ``FeatureUnion`` and ``Pipeline`` go down to their parts;
    * everything else is fitted again: nearest neighbours and ``KernelDensity``,
      whose fit is little more than keeping the rows, Gaussian processes with an
      optimized kernel, and data that leave a rule without enough digits, such as
      collinear columns in a discriminant analysis.

    `unlearning_cost` tells which of these a request would take. Rules for other
    types are added with `register_rule`.

    Parameters
    ----------
    estimator : estimator instance
        What to fit: a classifier, regressor or transformer, or a
        ``FrozenEstimator`` around one that is fitted already.
    group_column : str, int or None, default=None
        Name of a column of a data frame, or position of a column, that holds the id
        of each row, as ``groups`` of ``fit`` would. It is no feature: ``fit`` takes it
        out, and all methods take rows with or without it.
    store_training_data : bool, default=True
        Whether to keep the retained rows. Without them, ``unlearn`` must be
        given ``X_retain`` and ``y_retain``, and fits again.

    Attributes
    ----------
    estimator_ : estimator instance
        The fitted scikit-learn estimator, an ordinary one.
    classes_ : ndarray of shape (n_classes,)
        Labels seen in ``fit``, forgotten ones included. Only for classifiers.
    n_features_in_ : int
        Number of features seen in ``fit``, if the inner estimator has it. Of a
        precomputed kernel or distance matrix, the number of rows that are left.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen in ``fit``, if all of them are strings.
    n_forgotten_ : int
        Number of rows forgotten since ``fit``.
    unlearning_log_ : list of dict
        One record per request, without any data.

    See Also
    --------
    Retrain : Always fits again.
    register_rule : Adds a rule for another type of estimator.
    sklearn_unlearn.pipeline.Pipeline : Forgets through all steps of a pipeline.

    Notes
    -----
    The first request builds the index of the rows and their summaries, which
    costs about as much as a fit; it can be had beforehand from `prepare`.

    ``LogisticRegression`` is taken to its optimum in ``fit`` already: a solver
    stops somewhere near it, and where it stops depends on where it started, so
    that only the optimum is a function of the rows. Discriminant directions have
    arbitrary signs, in scikit-learn those of a singular value decomposition of the
    rows in their order; here the largest entry of each is positive.

    References
    ----------
    .. [1] Y. Cao and J. Yang, "Towards Making Systems Forget with Machine
       Unlearning", IEEE Symposium on Security and Privacy, 2015.
    .. [2] T. F. Chan, G. H. Golub and R. J. LeVeque, "Algorithms for Computing
       the Sample Variance", The American Statistician 37(3), 1983.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn_unlearn.exact import ExactUnlearner
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = ExactUnlearner(Ridge()).fit(X, y).unlearn(X[:20])
    >>> reference = Ridge().fit(X[20:], y[20:])
    >>> bool(np.allclose(model.predict(X), reference.predict(X), rtol=1e-10))
    True
    """

    _parameter_constraints: dict = {
        **BaseUnlearner._parameter_constraints,
        "group_column": GROUP_COLUMN,
    }

    # what a pipeline asks about the steps behind others
    _forgets_by_rule = True

    def __init__(self, estimator, *, group_column=None, store_training_data=True):
        super().__init__(estimator, store_training_data=store_training_data)
        self.group_column = group_column

    def prepare(self):
        """Build the index of the rows and the summaries now.

        Otherwise the first request does so, and takes that much longer.

        Returns
        -------
        self : object
            The estimator, unchanged but for its readiness.
        """
        check_is_fitted(self)
        if self._rows is None:
            raise self._no_rows_error()
        self._rows.build_index()
        if self._rule_state.value is None:
            rule = self._rule(self.estimator_)
            self._rule_state = RuleState(rule.remember(self.estimator_, self._rows))
        return self

    def unlearning_cost(self, X_forget=None, y_forget=None, *, groups=None):
        """Tell what ``unlearn(X_forget)`` would cost, without doing it.

        Parameters
        ----------
        X_forget : array-like of shape (n_forget, n_features), default=None
            Rows to forget.
        y_forget : array-like of shape (n_forget,), default=None
            Their targets.
        groups : array-like of shape (n_groups,), default=None
            Ids, all of whose rows are to be forgotten, instead of `X_forget`.

        Returns
        -------
        UnlearningCost
            The path, and the number of rows that it reads.
        """
        positions = self._rows_of_request(X_forget, y_forget, groups)
        n_forget, n_retain = len(positions), self._rows.n_rows - len(positions)
        rule, name = self._rule(self.estimator_), type(self.estimator_).__name__
        if not self._covered(rule):
            reason = reason_to_refit(self.estimator_, rule)
            return UnlearningCost("refit", n_forget, n_retain, n_retain, reason)
        if rule.path != "summaries":
            reason = f"{name} goes from its present solution to the new one"
            return UnlearningCost(rule.path, n_forget, n_retain, n_retain, reason)
        if self._rule_state.value is None:
            reason = "the first request makes the summaries: prepare() does it now"
            return UnlearningCost(rule.path, n_forget, n_retain, n_retain, reason)
        blocks = np.unique(self._rows.blocks_of(positions))
        if getattr(type(rule), "subtract", None) is SummaryRule.subtract:
            n_read = self._rows.rows_in(blocks) - n_forget
            reason = f"{len(blocks)} of {self._rows.n_blocks} blocks are read again"
        else:
            n_read, reason = 0, "the rows are taken off the summaries of their blocks"
        return UnlearningCost(rule.path, n_forget, n_read, n_retain, reason)

    def _fit_estimator(self, X, y, params):
        if isinstance(self.estimator, FrozenEstimator):
            return super()._fit_estimator(X, y, params)
        template = self._template()
        with callbacks_within(self, template, X, y):
            return find_rule(template).fit(template, X, y, **params)

    def _fit_inner(self, X, y, forget, groups, params, transform=False):
        self._rule_state, rule = RuleState(), find_rule(self._template())
        # fit_transform of the estimator itself would pass over a rule that fits
        own = type(rule).fit is Rule.fit or hasattr(rule, "parts")
        output = super()._fit_inner(X, y, forget, groups, params, transform and own)
        return self.estimator_.transform(X) if transform and not own else output

    def _unlearn_rows(self, request):
        fitted, inner, store = self.estimator_, self._inner(), request.store

        def retain():
            rows = request.retain
            return rows._replace(params=self._params_with_ids(rows.params))

        rule, received = self._rule(inner), request.with_retained(retain)
        try:
            if type(fitted) is type(inner) and not self._changed_by_fit:
                state = self._rule_state.value
                outcome = rule.forget(fitted, state, store, received)
            else:  # the constant model, or a fit that has changed parameters
                outcome = Rule.forget(rule, self._template(), None, store, received)
        except ValueError:
            if single_class(fitted, received.retain.y) is None:
                raise
            outcome = Outcome(constant_model(received.retain))
        model, state = outcome.estimator, outcome.state
        if rule.path == "refit" and has_unseen_columns(model, received.retain):
            model, state = constant_model(received.retain), None
        self.estimator_, self._rule_state = model, RuleState(state)

    def _inner(self):
        """Return the estimator that was given, out of the freezer."""
        frozen = isinstance(self.estimator, FrozenEstimator)
        return self.estimator.estimator if frozen else self.estimator

    def _rule(self, fitted):
        """Return the rule of `fitted`, if it knows all arguments of ``fit``."""
        rule = find_rule(fitted)
        # blocks of rows come with what belongs to the rows, not with the rest
        whole = any(value is not None for value in self._fit_params.values())
        return Rule() if whole and rule.path == "summaries" else rule

    def _covered(self, rule):
        """Whether the rule has a faster way than ``fit`` for these rows."""
        rows = self._rows.take([0])
        params = {**rows.params, **self._fit_params}
        return rule.covers(self.estimator_, rows.X, rows.y, **params)

    def _drop_rows(self):
        super()._drop_rows()
        self._rule_state = RuleState()

    def _unlearner_tags(self):
        inner = self._inner()
        fitted = self.__dict__.get("estimator_")  # which solver "auto" has chosen
        if type(fitted) is type(inner):
            inner = fitted
        return UnlearnerTags(find_rule(inner).guarantee(inner))
