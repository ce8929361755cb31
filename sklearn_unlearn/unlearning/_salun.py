"""Saliency unlearning."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Real

from sklearn_unlearn._engine._weight_mask import WeightMask
from sklearn_unlearn.unlearning._base import FORGET_WEIGHT, NetworkUnlearner
from sklearn_unlearn.utils._sklearn_compat import Interval

__all__ = ["SalUn"]


class SalUn(NetworkUnlearner):
    """Saliency unlearning: random targets, learnt by the weights that matter.

    The weights with the largest gradient of the loss of the forgotten rows
    :math:`F` are trained, all others stay as they are bit for bit [1]_. They minimise

    .. math:: \\operatorname{mean}_R \\ell(f(x), y) +
        w \\operatorname{mean}_F \\ell(f(x), \\tilde{y})

    with targets :math:`\\tilde{y}` drawn anew in each step: uniform over the classes of
    the retained rows :math:`R`, or normal with the moments of their targets.

    Parameters
    ----------
    estimator : estimator instance
        A :class:`~sklearn_unlearn.neural_network.DropoutClassifier` or
        :class:`~sklearn_unlearn.neural_network.DropoutRegressor`, a skorch net, or a
        ``FrozenEstimator`` around one of these that is fitted already.
    keep : float, default=0.5
        Share of all parameters that are trained.
    forget_weight : "proportional" or float, default="proportional"
        Weight of the mean over the forgotten rows beside the mean over the retained
        rows. "proportional" gives each row the same say.
    n_epochs : int, default=10
        How often each retained row is visited.
    learning_rate_init : "auto" or float, default="auto"
        Learning rate of Adam; "auto" is half of the network's own.
    batch_size : "auto" or int, default="auto"
        Retained rows of a batch; "auto" is the network's own.
    max_retain_increase : float, default=0.1
        Largest accepted increase of the mean loss of the retained rows; see
        :class:`NetworkUnlearner`.
    random_state : int, RandomState instance or None, default=None
        Source of the order of the rows and of the random targets.
    store_training_data : bool, default=True
        Whether to keep the retained rows.

    Attributes
    ----------
    estimator_ : estimator instance
        The fitted network.
    classes_ : ndarray of shape (n_classes,)
        Labels seen in ``fit``, forgotten ones included. Only for classifiers.
    n_features_in_ : int
        Number of features seen in ``fit``.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen in ``fit``, if all of them are strings.
    n_forgotten_ : int
        Number of rows forgotten since ``fit``.
    unlearning_log_ : list of dict
        One record per request, without any data.

    See Also
    --------
    FineTune : Trains on the retained rows alone.

    References
    ----------
    .. [1] C. Fan et al., "SalUn: Empowering Machine Unlearning via Gradient-based
       Weight Saliency in Both Image Classification and Generation", ICLR, 2024.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_unlearn.neural_network import DropoutClassifier
    >>> from sklearn_unlearn.unlearning import SalUn
    >>> X, y = load_iris(return_X_y=True)
    >>> network = DropoutClassifier((20,), max_iter=30, n_iter_no_change=30)
    >>> model = SalUn(network, keep=0.2, random_state=0).fit(X, y)
    >>> model.unlearn(X[:10]).n_forgotten_
    10
    """

    _parameter_constraints: dict = {
        **NetworkUnlearner._parameter_constraints,
        "keep": [Interval(Real, 0, 1, closed="right")],
        "forget_weight": FORGET_WEIGHT,
    }

    def __init__(
        self,
        estimator,
        *,
        keep=0.5,
        forget_weight="proportional",
        n_epochs=10,
        learning_rate_init="auto",
        batch_size="auto",
        max_retain_increase=0.1,
        random_state=None,
        store_training_data=True,
    ):
        super().__init__(
            estimator,
            n_epochs=n_epochs,
            learning_rate_init=learning_rate_init,
            batch_size=batch_size,
            max_retain_increase=max_retain_increase,
            random_state=random_state,
            store_training_data=store_training_data,
        )
        self.keep = keep
        self.forget_weight = forget_weight

    def _unlearn_network(self, student):
        weight, loss = self._forget_weight(student), student.loss
        draw = loss.uninformed(student.retain.target)

        def objective(retain, forget):
            targets = draw(len(forget.index), student.rng)
            relabelled = loss.rows(forget.outputs, targets)
            return retain.mean(retain.losses) + weight * forget.mean(relabelled)

        student.train(objective, mask=self._saliency(student))

    def _saliency(self, student):
        """Return the mask of the weights that matter most for the rows to forget."""
        gradient = student.gradient(student.forget)
        return WeightMask.from_scores([part.abs() for part in gradient], self.keep)
