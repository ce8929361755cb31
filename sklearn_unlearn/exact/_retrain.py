"""Forgetting by fitting again on the retained rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.base import BaseUnlearner, UnlearnerTags
from sklearn_unlearn.base._group_column import GROUP_COLUMN
from sklearn_unlearn.base._single_class import fit_or_constant
from sklearn_unlearn.exact._cost import UnlearningCost
from sklearn_unlearn.exact._rule import Rule
from sklearn_unlearn.utils._sklearn_compat import without_callbacks


class Retrain(BaseUnlearner):
    """Forget rows of any scikit-learn estimator by fitting it again without them.

    The reference that every other method is measured against: after
    ``unlearn``, the model is bit for bit the one that ``fit`` gives on the
    retained rows in their order, with the same seed.

    Parameters
    ----------
    estimator : estimator instance
        What to fit: a classifier, regressor or transformer, or a
        ``FrozenEstimator`` around one that is fitted already.
    reseed : bool, default=False
        Whether a refit draws fresh randomness in place of integer
        ``random_state`` parameters. Then the guarantee, ``"exact_law"``, also
        holds against requests that were chosen after seeing the model.
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
        The fitted estimator.
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
    ExactUnlearner : The same result, often much faster.

    References
    ----------
    .. [1] Y. Cao and J. Yang, "Towards Making Systems Forget with Machine
       Unlearning", IEEE Symposium on Security and Privacy, 2015.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sklearn_unlearn.exact import Retrain
    >>> X, y = load_iris(return_X_y=True)
    >>> model = Retrain(DecisionTreeClassifier(random_state=0)).fit(X, y)
    >>> model.unlearn(X[:10]).n_forgotten_
    10
    """

    _parameter_constraints: dict = {
        **BaseUnlearner._parameter_constraints,
        "reseed": ["boolean"],
        "group_column": GROUP_COLUMN,
    }

    def __init__(
        self,
        estimator,
        *,
        reseed=False,
        group_column=None,
        store_training_data=True,
    ):
        super().__init__(estimator, store_training_data=store_training_data)
        self.reseed = reseed
        self.group_column = group_column

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
        n_retain = self._rows.n_rows - len(positions)
        return UnlearningCost(
            "refit", len(positions), n_retain, n_retain, "Retrain always fits again"
        )

    def _unlearn_rows(self, request):
        template = self._template()
        without_callbacks(template)  # a refit is none of their runs
        if self.reseed:
            template.set_params(
                **{
                    name: None
                    for name, value in template.get_params(deep=True).items()
                    if name.split("__")[-1] == "random_state" and value is not None
                }
            )
        rows = request.retain
        self.estimator_ = fit_or_constant(
            lambda: self._fit_model(
                template, rows.X, rows.y, self._params_with_ids(rows.params)
            ),
            template,
            rows,
        )

    def _unlearner_tags(self):
        guarantee = Rule().guarantee(self._template())
        return UnlearnerTags("exact_law" if self.reseed else guarantee)
