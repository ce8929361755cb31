"""The pipeline that can forget."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from contextlib import nullcontext
from functools import partial

from sklearn import pipeline
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_unlearn.base import UnlearnerMixin, UnlearnerTags, is_unlearner
from sklearn_unlearn.base._group_column import GROUP_COLUMN
from sklearn_unlearn.base._parameters import plain_parameters
from sklearn_unlearn.base._rewritten import changed_by_step, deep_parameters
from sklearn_unlearn.base._steps import is_estimator
from sklearn_unlearn.base._tags import GUARANTEES, takes_matrix
from sklearn_unlearn.exact import find_rule, register_rule
from sklearn_unlearn.exact._cost import cost_of_steps
from sklearn_unlearn.exact._rule import RuleState
from sklearn_unlearn.exact._steps import (
    StepState,
    forget_in_sequence,
    last_step_by_rule,
    steps_to_refit,
)
from sklearn_unlearn.exact.rules._composites import PipelineRule
from sklearn_unlearn.pipeline._last_step import LastStep
from sklearn_unlearn.pipeline._predictions import PipelinePredictions, final_has
from sklearn_unlearn.pipeline._reminders import (
    warn_about_cache,
    warn_about_frozen,
    warn_about_steps,
)
from sklearn_unlearn.utils._sklearn_compat import (
    _fit_context,
    _routing_enabled,
    routed_fit_request,
)
from sklearn_unlearn.utils._validation import refuse_masks_of_steps

__all__ = ["Pipeline", "make_pipeline"]


def _can_transform(self):
    """Whether the last step, if there is one to fit, transforms."""
    last = self.steps[-1][1] if self.steps else None
    return last in (None, "passthrough") or (
        hasattr(last, "transform") or hasattr(last, "fit_transform")
    )


def _forgets_by_rule(step, is_last):
    """Tell whether a rule makes a step forget, and not the step itself."""
    return not is_unlearner(step) or (not is_last and hasattr(find_rule(step), "parts"))


class Pipeline(UnlearnerMixin, PipelinePredictions, pipeline.Pipeline):
    """Sequence of transformers with an estimator at the end, which can forget.

    It is scikit-learn's ``Pipeline`` in every other respect. ``unlearn`` takes
    rows as they were given to ``fit`` (raw: strings, categories and missing
    values included). Each step then forgets them: an unlearner at the end in
    its own way (taken to the new coordinates first, if it keeps its model), any
    other step exactly. Later steps are given what
    ``fit_transform`` of the earlier ones yields on the retained rows, as a fit
    on those rows alone would give them. So a pipeline of scikit-learn's own
    estimators forgets exactly, with nothing to wrap.

    Parameters
    ----------
    steps : list of (str, estimator) tuples
        Steps, as for :class:`sklearn.pipeline.Pipeline`.
    transform_input : list of str, default=None
        Names of metadata to transform along; see
        :class:`sklearn.pipeline.Pipeline`.
    memory : str or object with the joblib.Memory interface, default=None
        Cache of fitted transformers. It holds rows on disk, which ``unlearn``
        does not find: it warns, and neither reads nor writes the cache.
    verbose : bool, default=False
        Whether to print the time that each step takes in ``fit``.
    group_column : str, int or None, default=None
        Name of a column of a data frame, or position of a column, that holds the id
        of each row, as ``groups`` of ``fit`` would. It is no feature: ``fit`` takes it
        out, and all methods take rows with or without it.
    store_training_data : bool, default=True
        Whether to keep the retained rows. Without them, ``unlearn`` must be
        given ``X_retain`` and ``y_retain``.

    Attributes
    ----------
    named_steps : Bunch
        Steps by name.
    classes_ : ndarray of shape (n_classes,)
        Labels seen in ``fit``, forgotten ones included. Only for classifiers.
    n_features_in_ : int
        Number of features seen in ``fit``, if the first step has it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen in ``fit``, if the first step has them.
    n_forgotten_ : int
        Number of rows forgotten since ``fit``.
    unlearning_log_ : list of dict
        One record per request, without any data.

    See Also
    --------
    make_pipeline : Names the steps for you.
    sklearn_unlearn.exact.ExactUnlearner : For a single estimator.

    Notes
    -----
    ``unlearn`` replaces ``steps`` by updated copies. Objects that the caller
    holds on to, and slices taken before, still remember.

    A step that is the last one and has a rule in
    :mod:`sklearn_unlearn.exact` is fitted through the rule:
    ``LogisticRegression`` is taken to its optimum.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_unlearn.pipeline import make_pipeline
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    >>> model.unlearn(X[:7]).n_forgotten_
    7
    >>> reference = make_pipeline(StandardScaler(), LogisticRegression())
    >>> p = reference.fit(X[7:], y[7:]).predict_proba(X)
    >>> bool(abs(model.predict_proba(X) - p).max() < 1e-8)
    True
    """

    # asked for by default, so that searches need no set_fit_request
    __metadata_request__fit = {"forget": True, "groups": True}

    _parameter_constraints: dict = {
        **pipeline.Pipeline._parameter_constraints,
        "group_column": GROUP_COLUMN,
        "store_training_data": ["boolean"],
    }

    def __init__(
        self,
        steps,
        *,
        transform_input=None,
        memory=None,
        verbose=False,
        group_column=None,
        store_training_data=True,
    ):
        super().__init__(
            steps, transform_input=transform_input, memory=memory, verbose=verbose
        )
        self.group_column = group_column
        self.store_training_data = store_training_data

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, *, forget=None, groups=None, **params):
        """Fit all steps, then forget the rows that `forget` marks.

        Parameters
        ----------
        X : array-like, sparse matrix, data frame or list of documents
            Training rows, as the first step takes them.
        y : array-like of shape (n_rows,) or (n_rows, n_outputs), default=None
            Targets.
        forget : array-like of shape (n_rows,), dtype=bool, default=None
            Rows to forget after the fit on all of them. It is not passed on to
            steps. As metadata with one entry per row it is cut by every
            splitter.
        groups : array-like of shape (n_rows,), default=None
            One id per row, for ``unlearn(groups=...)``.
        **params : dict
            As for :meth:`sklearn.pipeline.Pipeline.fit`.

        Returns
        -------
        self : object
            The fitted pipeline.
        """
        self._fit_and_keep("fit", X, y, params, groups, forget)
        return self

    @available_if(_can_transform)
    @_fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X, y=None, *, groups=None, **params):
        """Fit all steps and transform the training rows.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame
            Training rows.
        y : array-like of shape (n_rows,), default=None
            Targets.
        groups : array-like of shape (n_rows,), default=None
            One id per row, as for `fit`.
        **params : dict
            As for :meth:`sklearn.pipeline.Pipeline.fit_transform`.

        Returns
        -------
        array-like of shape (n_rows, n_outputs)
            Transformed rows.
        """
        return self._fit_and_keep("fit_transform", X, y, params, groups)

    @available_if(final_has("fit_predict"))
    @_fit_context(prefer_skip_nested_validation=False)
    def fit_predict(self, X, y=None, *, groups=None, **params):
        """Fit all steps and return the labels of the last one.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame
            Training rows.
        y : array-like of shape (n_rows,), default=None
            Targets.
        groups : array-like of shape (n_rows,), default=None
            One id per row, as for `fit`.
        **params : dict
            As for :meth:`sklearn.pipeline.Pipeline.fit_predict`.

        Returns
        -------
        ndarray of shape (n_rows,)
            Predictions on the training rows.
        """
        return self._fit_and_keep("fit_predict", X, y, params, groups)

    def _fit_and_keep(self, method, X, y, params, groups=None, forget=None):
        """Fit by scikit-learn's `method`, then keep the rows."""
        X, groups = self._take_group_column(X, groups)
        refuse_masks_of_steps(params)
        kept = self._keep_rows(X, y, groups, params, forget)
        self._single_class = self._classes = None
        self._step_states, before = RuleState({}), deep_parameters(self)
        by_rule = last_step_by_rule(self) if method == "fit" else nullcontext()
        with by_rule:
            result = getattr(super(), method)(X, y, **self._with_ids(params, groups))
        last = self.steps[-1][1] if self.steps else None
        self._classes = getattr(last, "classes_", None)
        self._given_parameters = changed_by_step(before, self)
        self._attach_rows(kept)
        if not self.store_training_data:
            warn_about_steps(self.steps)
        return result

    def prepare(self):
        """Make now what the first request would make, which takes about a fit.

        It is the index of the rows, and what the steps keep from one request to
        the next: summaries of the rows, and what slow encoders make of them.

        Returns
        -------
        self : object
            The pipeline, unchanged but for its readiness.
        """
        check_is_fitted(self)
        store = self._kept_rows()
        store.build_index()
        views, kept = PipelineRule().views(self), self._step_states.value
        made = {
            name: StepState.of(step, store.through(views[name]))
            for name, step in self._steps_with_state()
            if name in views and name not in kept
        }
        self._step_states = RuleState({**made, **kept})
        return self

    def _steps_with_state(self):
        """Return the steps that keep something from one request to the next."""
        if self._fit_params or self._rows.param_names:
            return []  # with arguments of fit, all steps are fitted again
        last = self.steps[-1][1] if self.steps else None
        return [
            (name, step)
            for (name, step), refit in zip(
                self.steps, steps_to_refit(self.steps), strict=True
            )
            if is_estimator(step)
            and not refit
            and _forgets_by_rule(step, step is last)
            and (step is last or not find_rule(step).fit_transform_differs)
        ]

    def unlearning_cost(self, X_forget=None, y_forget=None, *, groups=None):
        """Tell what ``unlearn(X_forget)`` would cost, step by step.

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
        dict of str to UnlearningCost
            Cost by name of step; of steps within others by the names that
            ``set_params`` takes. A step is said to be fitted again behind one that
            might change.
        """
        positions = self._rows_of_request(X_forget, y_forget, groups)
        # with arguments of fit, all steps are fitted again
        return cost_of_steps(
            self.steps,
            self._rows.take([0]).X,
            len(positions),
            self._rows.n_rows - len(positions),
            rows_change=bool(self._fit_params or self._rows.param_names),
        )

    # ----------------------------------------------------------------- forget

    def _unlearn_rows(self, request):
        """Let the steps forget, each on what the updated steps before it give."""
        params = {**request.retain.params, **self._fit_params}
        groups = self._rows.groups if self._rows is not None else None
        groups = params.pop("groups", groups)
        steps, _ = forget_in_sequence(
            self,
            self._step_states.value,
            request,
            self._with_ids(params, groups),
            last_step=partial(
                LastStep, asked=request, is_fitted=self._single_class is None
            ),
        )
        last = steps.get(self.steps[-1][0])
        self._single_class = None if last is None else last.single_class
        self.steps = [
            (name, steps[name].result() if name in steps else step)
            for name, step in self.steps
        ]
        self._step_states = RuleState({n: step.state for n, step in steps.items()})
        if self._given_parameters:  # the fits just made have changed others again
            self._fit_parameters = plain_parameters(self)
        warn_about_cache(self.memory)
        if not self.n_forgotten_:
            warn_about_frozen(self.steps)

    @property
    def _fits_by_groups(self):
        last = self.steps[-1][1] if self.steps else None
        return getattr(last, "_fits_by_groups", False)

    def _with_ids(self, params, groups):
        """Add the ids to the arguments of ``fit``, if a step wants them."""
        if groups is None:
            return params
        if _routing_enabled():
            router = super().get_metadata_routing()
            wanted = {"groups"} & set(router.consumes("fit", ["groups"]))
            return {**params, **dict.fromkeys(wanted, groups)}
        if self._fits_by_groups:
            return {**params, f"{self.steps[-1][0]}__groups": groups}
        return params

    def _drop_rows(self):
        super()._drop_rows()
        self._step_states = RuleState({})

    # --------------------------------------------------------------- plumbing

    def __getitem__(self, ind):
        """Return a step, or a slice of the pipeline, which keeps no rows.

        Parameters
        ----------
        ind : int, str or slice
            Position or name of a step, or a slice of positions.

        Returns
        -------
        estimator or Pipeline
            The step, or a pipeline of the same steps.
        """
        part = super().__getitem__(ind)
        if isinstance(ind, slice):
            part.transform_input = self.transform_input
            part.store_training_data = self.store_training_data
            part.group_column = self.group_column
            part._group_column = self._group_column
        return part

    def get_metadata_routing(self):
        """Return who asks for which metadata.

        Returns
        -------
        MetadataRouter
            That of scikit-learn's pipeline, which also asks for ``forget`` and
            ``groups`` in ``fit``.
        """
        router = super().get_metadata_routing()
        return router.add_self_request(routed_fit_request(self, ("forget", "groups")))

    def __sklearn_tags__(self):
        if not self.steps:  # nothing that could learn, or forget
            return super(UnlearnerMixin, self).__sklearn_tags__()
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = takes_matrix(self)
        return tags

    def _unlearner_tags(self):
        guarantee = "exact"
        for step in self.__dict__.get("steps", ()):
            estimator = step[1]
            if not is_estimator(estimator):
                continue
            if is_unlearner(estimator):
                own = get_tags(estimator).unlearner_tags.guarantee
            else:
                own = find_rule(estimator).guarantee(estimator)
            guarantee = max(guarantee, own, key=GUARANTEES.index)
        return UnlearnerTags(guarantee)


# nested in another pipeline it forgets like scikit-learn's own
register_rule(Pipeline)(PipelineRule)


def make_pipeline(
    *steps,
    memory=None,
    transform_input=None,
    verbose=False,
    group_column=None,
    store_training_data=True,
):
    """Construct a `Pipeline` from estimators, which are named by their types.

    Parameters
    ----------
    *steps : estimators
        Steps, in order.
    memory : str or object with the joblib.Memory interface, default=None
        Cache of fitted transformers; see `Pipeline`.
    transform_input : list of str, default=None
        Names of metadata to transform along.
    verbose : bool, default=False
        Whether to print the time that each step takes in ``fit``.
    group_column : str, int or None, default=None
        Name of a column of a data frame, or position of a column, that holds the id
        of each row, as ``groups`` of ``fit`` would. It is no feature: ``fit`` takes it
        out, and all methods take rows with or without it.
    store_training_data : bool, default=True
        Whether to keep the retained rows.

    Returns
    -------
    Pipeline
        The pipeline.

    See Also
    --------
    Pipeline : What is returned.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_unlearn.pipeline import make_pipeline
    >>> list(make_pipeline(StandardScaler(), GaussianNB()).named_steps)
    ['standardscaler', 'gaussiannb']
    """
    named = pipeline.make_pipeline(*steps).steps
    return Pipeline(
        named,
        memory=memory,
        transform_input=transform_input,
        verbose=verbose,
        group_column=group_column,
        store_training_data=store_training_data,
    )
