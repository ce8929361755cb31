"""Fine-tuning on the retained rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Real

from sklearn_unlearn.base import UnlearnerTags
from sklearn_unlearn.unlearning._base import NetworkUnlearner
from sklearn_unlearn.utils._sklearn_compat import Interval

__all__ = ["FineTune"]


class FineTune(NetworkUnlearner):
    """Train on without the forgotten rows, and let them fade.

    Minimises the loss :math:`\\ell` of the retained rows alone, with a penalty on all
    parameters :math:`\\theta` that fades linearly over the :math:`T` epochs [1]_:

    .. math:: \\operatorname{mean}_R \\ell + \\gamma (1 - t / T) \\|\\theta\\|_1

    A network without loss on the retained rows has no reason to change, and forgets
    little: this is the baseline that other methods must beat.

    Parameters
    ----------
    estimator : estimator instance
        A :class:`~sklearn_unlearn.neural_network.DropoutClassifier` or
        :class:`~sklearn_unlearn.neural_network.DropoutRegressor`, a skorch net, or a
        ``FrozenEstimator`` around one of these that is fitted already.
    l1 : float, default=0.0
        The penalty :math:`\\gamma`. Sparse networks forget more [1]_; above 0.001 they
        lose accuracy.
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
    NPO : Pushes the forgotten rows away, too.

    References
    ----------
    .. [1] J. Jia et al., "Model Sparsity Can Simplify Machine Unlearning", NeurIPS,
       2023.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_unlearn.neural_network import DropoutClassifier
    >>> from sklearn_unlearn.unlearning import FineTune
    >>> X, y = load_iris(return_X_y=True)
    >>> network = DropoutClassifier((20,), max_iter=30, n_iter_no_change=30)
    >>> model = FineTune(network, l1=1e-4, random_state=0).fit(X, y)
    >>> model.unlearn(X[:10]).n_forgotten_
    10
    """

    _parameter_constraints: dict = {
        **NetworkUnlearner._parameter_constraints,
        "l1": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        estimator,
        *,
        l1=0.0,
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
        self.l1 = l1

    def _unlearn_network(self, student):
        def objective(retain, forget):
            return retain.mean(retain.losses)

        student.train(objective, forget=False, l1=self.l1)

    def _unlearner_tags(self):
        return UnlearnerTags(guarantee="approximate", requires_target=False)
