"""Negative preference optimization."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Real

from torch.nn.functional import logsigmoid

from sklearn_unlearn.unlearning._base import FORGET_WEIGHT, NetworkUnlearner
from sklearn_unlearn.utils._sklearn_compat import Interval

__all__ = ["NPO"]


class NPO(NetworkUnlearner):
    """Negative preference optimization: a bounded push away from forgotten targets.

    To the loss :math:`\\ell` of the retained rows :math:`R` it adds, for the rows to
    forget :math:`F` [1]_,

    .. math:: -\\frac{2}{\\beta} \\operatorname{mean}_F
        \\log \\sigma(\\beta (\\ell_\\theta - \\ell_{\\mathrm{ref}}))

    where :math:`\\ell_{\\mathrm{ref}}` is the loss before. Its gradient is that of
    gradient ascent times a weight that falls from 1 to 0 as a row is forgotten, so it
    does not diverge. For numbers, :math:`\\ell` is the negative log-likelihood under
    Gaussian noise with the variance of the retained residuals.

    Parameters
    ----------
    estimator : estimator instance
        A :class:`~sklearn_unlearn.neural_network.DropoutClassifier` or
        :class:`~sklearn_unlearn.neural_network.DropoutRegressor`, a skorch net, or a
        ``FrozenEstimator`` around one of these that is fitted already.
    beta : float, default=1.0
        How soon a forgotten row is left alone; towards 0 the push is gradient ascent.
    forget_weight : "proportional" or float, default="proportional"
        Weight of the mean over the forgotten rows beside the mean over the retained
        rows. "proportional" gives each row the same say.
    n_epochs : int, default=8
        How often each retained row is visited.
    learning_rate_init : "auto" or float, default="auto"
        Learning rate of Adam; "auto" is half of the network's own.
    batch_size : "auto" or int, default="auto"
        Retained rows of a batch; "auto" is the network's own.
    max_retain_increase : float, default=0.1
        Largest accepted increase of the mean loss of the retained rows; see
        :class:`NetworkUnlearner`.
    random_state : int, RandomState instance or None, default=None
        Source of the order of the rows.
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
    Blindspot : Needs no targets of the forgotten rows.

    References
    ----------
    .. [1] R. Zhang, L. Lin, Y. Bai and S. Mei, "Negative Preference Optimization: From
       Catastrophic Collapse to Effective Unlearning", COLM, 2024.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_unlearn.neural_network import DropoutClassifier
    >>> from sklearn_unlearn.unlearning import NPO
    >>> X, y = load_iris(return_X_y=True)
    >>> network = DropoutClassifier((20,), max_iter=30, n_iter_no_change=30)
    >>> model = NPO(network, beta=1.0, random_state=0).fit(X, y)
    >>> model.unlearn(X[:10]).n_forgotten_
    10
    """

    _parameter_constraints: dict = {
        **NetworkUnlearner._parameter_constraints,
        "beta": [Interval(Real, 0, None, closed="neither")],
        "forget_weight": FORGET_WEIGHT,
    }

    def __init__(
        self,
        estimator,
        *,
        beta=1.0,
        forget_weight="proportional",
        n_epochs=8,
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
        self.beta = beta
        self.forget_weight = forget_weight

    def _unlearn_network(self, student):
        beta, weight = self.beta, self._forget_weight(student)
        reference, nat = student.losses(student.forget), student.loss_per_nat()

        def objective(retain, forget):
            gain = (forget.losses - reference[forget.index]) / nat
            npo = -2 / beta * logsigmoid(beta * gain) * nat
            return retain.mean(retain.losses) + weight * forget.mean(npo)

        student.train(objective)
