"""Forgetting by a search over parameters."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from sklearn_unlearn.base import BaseUnlearner, UnlearnerTags, is_unlearner
from sklearn_unlearn.base._group_column import GROUP_COLUMN
from sklearn_unlearn.base._response import pad_response
from sklearn_unlearn.base._single_class import fit_or_constant
from sklearn_unlearn.base._steps import forget_within, shallow_copy, unfitted_copy
from sklearn_unlearn.exact import Rule, UnlearningCost
from sklearn_unlearn.exact._rule import RuleState
from sklearn_unlearn.exact._steps import ForgettingStep
from sklearn_unlearn.model_selection._search_fit import check_search, fit_search
from sklearn_unlearn.rows._request import Request
from sklearn_unlearn.utils._sklearn_compat import HasMethods, StrOptions

# What a search still has when only its best model has forgotten.
KEPT_BY_BEST = (
    "best_params_",
    "scorer_",
    "multimetric_",
    "feature_names_in_",
)


class SearchUnlearner(BaseUnlearner):
    """A search over parameters that can forget rows.

    The rows have a say in which parameters are chosen, so that a model which was
    fitted again with the same parameters may still tell of them. ``unlearn``
    therefore searches again. Where that takes too long, ``on_forget="best"`` keeps the
    parameters, and the guarantee says so.

    Parameters
    ----------
    search : estimator instance
        What is fitted: a ``GridSearchCV``, ``RandomizedSearchCV``, a halving search or
        another estimator like them, with ``refit`` on.
    on_forget : {"refit", "best"}, default="refit"
        What a request does. ``"refit"``: search again on the retained rows; the result
        is that of a search which never saw the others. ``"best"``: only
        ``best_estimator_`` forgets, by its own ``unlearn`` or as `ExactUnlearner`
        would. Its parameters were chosen with the forgotten rows, so the guarantee is
        ``"approximate"`` at most; scores and splits of the search, which know of these
        rows too, are dropped.
    group_column : str, int or None, default=None
        Name of a column of a data frame, or position of a column, that holds the id
        of each row, as ``groups`` of ``fit`` would. It is no feature: ``fit`` takes it
        out, and all methods take rows with or without it.
    store_training_data : bool, default=True
        Whether to keep the retained rows. Without them, ``unlearn`` must be
        given ``X_retain`` and ``y_retain``.

    Attributes
    ----------
    estimator_ : estimator instance
        The fitted search.
    classes_ : ndarray of shape (n_classes,)
        Labels seen in ``fit``, forgotten ones included. Only for classifiers.
    n_features_in_ : int
        Number of features seen in ``fit``, if the best model has it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen in ``fit``, if all of them are strings.
    n_forgotten_ : int
        Number of rows forgotten since ``fit``.
    unlearning_log_ : list of dict
        One record per request, without any data.

    See Also
    --------
    sklearn_unlearn.exact.Retrain : Fits any estimator again.
    sklearn_unlearn.exact.ExactUnlearner : For a model without a search.

    Notes
    -----
    Ids given as ``groups`` go to the splitter of the search, so that ``GroupKFold``
    keeps a person on one side of each split, and to the fits of an estimator that
    assigns rows by them, with metadata routing on or off. Other splitters
    warn that they ignore ids; requests by id work all the same.

    A search over unlearners with ``fit(X, y, forget=mask)`` is another thing: it finds
    out which settings forget well.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn_unlearn.model_selection import SearchUnlearner
    >>> X, y = load_iris(return_X_y=True)
    >>> search = GridSearchCV(LogisticRegression(max_iter=1000), {"C": [0.01, 1.0]})
    >>> model = SearchUnlearner(search).fit(X, y).unlearn(X[:5])
    >>> model.best_params_
    {'C': 1.0}
    """

    _parameter_constraints: dict = {
        "search": [HasMethods(["fit"])],
        "on_forget": [StrOptions({"refit", "best"})],
        "group_column": GROUP_COLUMN,
        "store_training_data": ["boolean"],
    }

    _fits_by_groups = True

    def __init__(
        self,
        search,
        *,
        on_forget="refit",
        group_column=None,
        store_training_data=True,
    ):
        self.search = search
        self.on_forget = on_forget
        self.group_column = group_column
        self.store_training_data = store_training_data

    @property
    def estimator(self):
        """The search that was given, by the name that other unlearners have for it."""
        return self.search

    @property
    def best_estimator_(self):
        """Model with the best parameters, fitted to all retained rows."""
        return self._of_search("best_estimator_")

    @property
    def best_params_(self):
        """Parameters that were chosen."""
        return self._of_search("best_params_")

    @property
    def best_score_(self):
        """Mean score of the best parameters over the splits of the search."""
        return self._of_search("best_score_")

    @property
    def cv_results_(self):
        """Scores and times of all parameters that were tried."""
        return self._of_search("cv_results_")

    def _of_search(self, name):
        search = self.__dict__.get("estimator_")
        if search is None:
            raise AttributeError(f"{name} is there after fit.")
        if hasattr(search, "best_estimator_") and not hasattr(search, name):
            raise AttributeError(
                f"{name} was dropped: it told of the forgotten rows. With "
                'on_forget="refit" a request makes it anew.'
            )
        return getattr(search, name)

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
            The path; the retained rows are read by each fit of a search.
        """
        n_forget = len(self._rows_of_request(X_forget, y_forget, groups))
        n_retain = self._rows.n_rows - n_forget
        if self.on_forget == "best":
            reason = "the best model forgets in its own way"
            return UnlearningCost("unlearner", n_forget, n_retain, n_retain, reason)
        n_fits = len(self.cv_results_["params"]) * self.estimator_.n_splits_ + 1
        reason = f"the search is run again, with {n_fits} fits"
        return UnlearningCost("refit", n_forget, n_retain, n_retain, reason)

    # ----------------------------------------------------------- fit and forget

    def _fit_model(self, model, X, y, params):
        check_search(model, repeats=self.on_forget == "refit")
        params = dict(params)
        groups = params.pop("groups", None)
        search = fit_search(unfitted_copy(model), X, y, groups, params)
        # columns of one table: each of them is to own its memory
        search.cv_results_ = {
            name: values.copy() for name, values in search.cv_results_.items()
        }
        return search

    def _parameters_of_fit(self):
        return frozenset({"search", "group_column"})

    def _fit_inner(self, *args, **params):
        self._best_state = RuleState()
        return super()._fit_inner(*args, **params)

    def _unlearn_rows(self, request):
        rows = request.retain
        params = self._params_with_ids(rows.params)
        if self.on_forget == "refit":
            self._fit_again(rows.X, rows.y, params)
            return
        old = self.estimator_
        best = fit_or_constant(
            lambda: self._forget_by_best(request, params), old.best_estimator_, rows
        )
        self.estimator_ = unfitted_copy(old)
        self.estimator_.best_estimator_ = best
        for name in KEPT_BY_BEST:
            if name in vars(old):
                setattr(self.estimator_, name, vars(old)[name])

    def _forget_by_best(self, request, params):
        """Return the best model without the rows."""
        best, rows = self.estimator_.best_estimator_, request.retain
        if is_unlearner(best):
            new, params = shallow_copy(best), best._inner_params(params)
            forget_within(new, _of_model_within(request), params)
            return new
        state, params = self._best_state.value, dict(params)
        params.pop("groups", None)
        step = ForgettingStep("best_estimator", best, state, request)
        step.forget(rows.X, rows.y, params, transform=False)
        self._best_state = RuleState(step.state)
        return step.result()

    def _drop_rows(self):
        super()._drop_rows()
        self._best_state = RuleState()

    # ----------------------------------------------------------------- predict

    def _check_model_has(self, method):
        search = self.__dict__.get("estimator_", self.search)
        getattr(getattr(search, "best_estimator_", search.estimator), method)
        return True

    def _ask_model(self, method, X, params):
        check_is_fitted(self)
        best = self.best_estimator_
        values = getattr(best, method)(self._without_group_column(X), **params)
        if hasattr(self, "classes_"):
            return pad_response(values, method, best, self.classes_)
        return values

    # -------------------------------------------------------------------- tags

    def _unlearner_tags(self):
        if self.on_forget == "best":
            return UnlearnerTags("approximate")
        return UnlearnerTags(Rule().guarantee(self.search))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # a search does not say what targets its models take
        model = getattr(self.search, "estimator", self.search)
        tags.target_tags.multi_output = get_tags(model).target_tags.multi_output
        return tags

    def __getstate__(self):
        """Leave a search that was fitted before out of the pickle; see `search`."""
        state = dict(super().__getstate__())
        if "estimator" in state:
            state["search"] = state.pop("estimator")
        return state


def _of_model_within(request):
    """Return the request as an unlearner without rows of its own is given it."""
    return Request(
        request.mask,
        lambda: request.forget,
        lambda: request.retain,
        ordered=request.ordered,
    )
