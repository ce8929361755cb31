"""Blindspot unlearning."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Integral

from sklearn_unlearn.base import UnlearnerTags
from sklearn_unlearn.unlearning._base import FORGET_WEIGHT, NetworkUnlearner
from sklearn_unlearn.utils._sklearn_compat import Interval, StrOptions

__all__ = ["Blindspot"]


class Blindspot(NetworkUnlearner):
    """Follow, on the forgotten rows, a network that has never seen them.

    A new network :math:`B`, blind to the rows to forget :math:`F`, is briefly trained
    on the retained rows :math:`R` [1]_. The fitted network then minimises

    .. math:: \\operatorname{mean}_R \\ell(f(x), y) +
        w \\operatorname{mean}_F D(B(x), f(x))

    where :math:`D` is the Kullback-Leibler divergence of the probabilities, or half the
    squared distance of the predicted numbers. The targets of the forgotten rows are
    not needed. The longer the new network is trained, the closer the result comes to
    that of retraining, and the more it costs.

    Parameters
    ----------
    estimator : estimator instance
        A :class:`~sklearn_unlearn.neural_network.DropoutClassifier` or
        :class:`~sklearn_unlearn.neural_network.DropoutRegressor`, a skorch net, or a
        ``FrozenEstimator`` around one of these that is fitted already.
    proxy_epochs : "auto" or int, default="auto"
        Epochs of the new network. "auto" is a tenth of those of the fitted network,
        at least 5.
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
        Source of the order of the rows and of the new network.
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
    NPO : Needs no second network.

    References
    ----------
    .. [1] A. K. Tarun, V. S. Chundawat, M. Mandal and M. Kankanhalli, "Deep Regression
       Unlearning", ICML, 2023.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_unlearn.neural_network import DropoutRegressor
    >>> from sklearn_unlearn.unlearning import Blindspot
    >>> X, y = load_diabetes(return_X_y=True)
    >>> network = DropoutRegressor((20,), max_iter=30, n_iter_no_change=30)
    >>> model = Blindspot(network, random_state=0).fit(X, y)
    >>> model.unlearn(X[:10]).n_forgotten_
    10
    """

    _parameter_constraints: dict = {
        **NetworkUnlearner._parameter_constraints,
        "proxy_epochs": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "forget_weight": FORGET_WEIGHT,
    }

    def __init__(
        self,
        estimator,
        *,
        proxy_epochs="auto",
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
        self.proxy_epochs = proxy_epochs
        self.forget_weight = forget_weight

    def _unlearn_network(self, student):
        weight, epochs = self._forget_weight(student), self.proxy_epochs
        if epochs == "auto":
            epochs = max(5, student.n_epochs_fitted // 10)
        blind = student.outputs(student.forget, student.train_fresh(epochs))

        def objective(retain, forget):
            divergence = student.loss.divergence(forget.outputs, blind[forget.index])
            return retain.mean(retain.losses) + weight * forget.mean(divergence)

        student.train(objective)

    def _unlearner_tags(self):
        return UnlearnerTags(guarantee="approximate", requires_target=False)
