"""The base of all unlearners that edit a fitted network."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import sys
from abc import abstractmethod
from dataclasses import replace
from numbers import Integral, Real

import numpy as np
from sklearn.base import clone, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state

from sklearn_unlearn._engine._handle import CannotUnlearnError
from sklearn_unlearn._engine._student import Student, UnlearningSettings
from sklearn_unlearn._engine._torch_defaults import usual_torch
from sklearn_unlearn.base import BaseUnlearner
from sklearn_unlearn.dropout._noise import make_generator
from sklearn_unlearn.exceptions import UnlearningWarning
from sklearn_unlearn.unlearning._skorch import skorch_model
from sklearn_unlearn.utils._sklearn_compat import Interval, StrOptions
from sklearn_unlearn.utils._warnings import warn_user

__all__ = ["FORGET_WEIGHT", "NetworkUnlearner"]

FORGET_WEIGHT = [StrOptions({"proportional"}), Interval(Real, 0, None, closed="left")]


def is_skorch(estimator):
    """Whether an estimator is a net of skorch, which is not imported for that."""
    skorch = sys.modules.get("skorch")
    return skorch is not None and isinstance(estimator, skorch.NeuralNet)


class NetworkUnlearner(BaseUnlearner):
    """Base class of the meta-estimators that train a fitted network to forget.

    A method is a subclass whose own code is its parameters and the hook
    `_unlearn_network`. It serves classifiers and regressors alike.

    Parameters
    ----------
    estimator : estimator instance
        A :class:`~sklearn_unlearn.neural_network.DropoutClassifier` or
        :class:`~sklearn_unlearn.neural_network.DropoutRegressor`, a skorch net, or a
        ``FrozenEstimator`` around one of these that is fitted already, on the rows
        given to ``fit``, in their order.
    n_epochs : int, default=8
        How often each retained row is visited.
    learning_rate_init : "auto" or float, default="auto"
        Learning rate of Adam. "auto" is half of that of the network's own training,
        or 0.001 if that used another optimizer.
    batch_size : "auto" or int, default="auto"
        Retained rows of a batch; the rows to forget are spread evenly over the
        batches. "auto" is that of the network's own training.
    max_retain_increase : float, default=0.1
        Largest accepted increase of the mean loss of the retained rows, in nats for
        classes and in variances of the target for numbers. An epoch that exceeds it
        is undone, and training stops with an ``UnlearningWarning``.
    random_state : int, RandomState instance or None, default=None
        Source of the order of the rows and of what a method draws, and of the seed of
        a network whose own ``random_state`` is None. An int gives the same result
        every time.
    store_training_data : bool, default=True
        Whether to keep the retained rows. Without them, ``unlearn`` must be given
        ``X_retain`` and ``y_retain``.

    See Also
    --------
    FineTune : The simplest method.

    Examples
    --------
    A method that pulls what it predicts for the forgotten rows to the mean:

    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_unlearn.neural_network import DropoutRegressor
    >>> from sklearn_unlearn.unlearning import NetworkUnlearner
    >>> class ToTheMean(NetworkUnlearner):
    ...     def _unlearn_network(self, student):
    ...         mean = student.retain.target.mean(0)
    ...
    ...         def objective(retain, forget):
    ...             pull = student.loss.rows(forget.outputs, mean)
    ...             own = retain.mean(retain.losses)
    ...             return own + student.ratio * forget.mean(pull)
    ...
    ...         student.train(objective)
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = ToTheMean(DropoutRegressor(max_iter=20, n_iter_no_change=20))
    >>> model.fit(X, y).unlearn(X[:20]).n_forgotten_
    20
    """

    _parameter_constraints: dict = {
        **BaseUnlearner._parameter_constraints,
        "n_epochs": [Interval(Integral, 1, None, closed="left")],
        "learning_rate_init": [
            StrOptions({"auto"}),
            Interval(Real, 0, None, closed="neither"),
        ],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "max_retain_increase": [Interval(Real, 0, None, closed="both")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator,
        *,
        n_epochs=8,
        learning_rate_init="auto",
        batch_size="auto",
        max_retain_increase=0.1,
        random_state=None,
        store_training_data=True,
    ):
        super().__init__(estimator, store_training_data=store_training_data)
        self.n_epochs = n_epochs
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.max_retain_increase = max_retain_increase
        self.random_state = random_state

    @abstractmethod
    def _unlearn_network(self, student):
        """Hook: train the network to forget.

        Parameters
        ----------
        student : Student
            A copy of the network with its rows (``student.retain``,
            ``student.forget``). Its ``train(objective)`` minimises a function of a
            batch of each.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define _unlearn_network(student)."
        )

    def _fit_estimator(self, X, y, params):
        if not isinstance(self.estimator, FrozenEstimator):
            return super()._fit_estimator(X, y, params)
        inner = self.estimator.estimator
        if is_skorch(inner):
            # an unfitted clone: the original must not travel with a pickle
            model = skorch_model(clone(inner), self.random_state)
            return model.take_over(inner, X, y)
        self._check_inner(inner)
        model = super()._fit_estimator(X, y, params)
        model._check_fitted_rows(X, y)
        return model

    def _fit_model(self, model, X, y, params):
        if is_skorch(model):
            model = skorch_model(clone(model), self.random_state)
            return model.fit(X, y, **params)
        self._check_inner(model)
        return super()._fit_model(model, X, y, params)

    def _check_inner(self, inner):
        """Raise unless an estimator is a network of this package."""
        if not hasattr(inner, "_begin_unlearning"):
            raise TypeError(
                f"{type(self).__name__} edits networks: estimator must be a "
                "DropoutClassifier, a DropoutRegressor or a net of skorch, which may "
                f"be in a FrozenEstimator; got {type(inner).__name__}."
            )

    def _unlearn_rows(self, request):
        with usual_torch():  # whatever mode the caller is in
            try:
                self._edit_network(request)
            except CannotUnlearnError as reason:
                warn_user(
                    f"The network is fitted again on the retained rows: {reason}.",
                    UnlearningWarning,
                )
                rows = request.retain
                self._fit_again(rows.X, rows.y, {**self._fit_params, **rows.params})

    def _edit_network(self, request):
        """Train a copy of the network to forget, and take it over."""
        handle = self.estimator_._begin_unlearning(request, self._fit_params)
        tags = self._unlearner_tags()
        if tags.requires_target and handle.forget.target is None:
            raise ValueError(
                f"{type(self).__name__} needs the targets of the rows to forget: "
                "pass y_forget."
            )
        student = self._make_student(handle)
        self._unlearn_network(student)
        self.estimator_ = handle.finish(student.network())
        self._mirror("n_features_in_", "feature_names_in_")

    def _make_student(self, handle):
        """Return a copy of the network to train, with these parameters."""
        rate, batch_size = self.learning_rate_init, self.batch_size
        if rate == "auto":
            rate = handle.adam.learning_rate_init / 2
        settings = UnlearningSettings(
            self.n_epochs,
            replace(handle.adam, learning_rate_init=rate),
            handle.batch_size if batch_size == "auto" else batch_size,
            self.max_retain_increase,
        )
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        return Student(handle, settings, make_generator(np.random.SeedSequence(seed)))

    def _forget_weight(self, student):
        """Return the weight of a mean over rows to forget beside one over retained."""
        proportional = self.forget_weight == "proportional"
        return student.ratio if proportional else self.forget_weight

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = getattr(self.estimator, "estimator", self.estimator)
        if is_skorch(inner) and is_regressor(inner):
            tags.target_tags.multi_output = True  # the net itself does not say so
        return tags
