"""Small instances of every public estimator, for tests that run over all of them."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from torch import nn

from sklearn_unlearn.exact import (
    ExactUnlearner,
    RemovalForestClassifier,
    RemovalForestRegressor,
    Retrain,
)
from sklearn_unlearn.neural_network import DropoutClassifier, DropoutRegressor
from sklearn_unlearn.pipeline import Pipeline
from sklearn_unlearn.unlearning import NPO, Blindspot, FineTune, SalUn

# small, and yet able to learn what the checks ask for
SMALL = {"max_iter": 30, "n_iter_no_change": 30, "learning_rate_init": 0.02}
SMALL |= {"batch_size": 32, "mc_samples": 10, "random_state": 0}


class SmallModule(nn.Sequential):
    """A module with dropout and batch normalization."""

    def __init__(self, n_features, n_outputs):
        super().__init__(
            nn.Linear(n_features, 32),
            nn.BatchNorm1d(32),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Linear(32, n_outputs),
        )


NETWORKS = [DropoutClassifier((32,), **SMALL), DropoutRegressor((32,), **SMALL)]
MODULE = DropoutClassifier(module=SmallModule, **SMALL)

# By name of the public class: every class that discovery finds must be here.
INSTANCES = {
    "Retrain": [
        Retrain(LogisticRegression()),
        Retrain(Ridge()),
        Retrain(StandardScaler()),
        Retrain(DecisionTreeClassifier(random_state=0)),
    ],
    "ExactUnlearner": [
        ExactUnlearner(StandardScaler()),
        ExactUnlearner(MinMaxScaler()),
        ExactUnlearner(SimpleImputer()),
        ExactUnlearner(PCA()),
        ExactUnlearner(OneHotEncoder(handle_unknown="ignore")),
        ExactUnlearner(LinearRegression()),
        ExactUnlearner(Ridge()),
        ExactUnlearner(LogisticRegression(max_iter=1000)),
        ExactUnlearner(GaussianNB()),
        ExactUnlearner(KNeighborsClassifier()),
        ExactUnlearner(KNeighborsRegressor()),
        ExactUnlearner(DecisionTreeClassifier(random_state=0)),
    ],
    "RemovalForestClassifier": [RemovalForestClassifier(10, random_state=0)],
    "RemovalForestRegressor": [RemovalForestRegressor(10, random_state=0)],
    "DropoutClassifier": [
        DropoutClassifier((32,), **SMALL),
        DropoutClassifier(module=SmallModule, **SMALL),
    ],
    "DropoutRegressor": [
        DropoutRegressor((32,), **SMALL),
        DropoutRegressor(module=SmallModule, **SMALL),
    ],
    "FineTune": [FineTune(network, l1=1e-5) for network in NETWORKS],
    "SalUn": [SalUn(network) for network in NETWORKS],
    "NPO": [NPO(network) for network in (*NETWORKS, MODULE)],
    "Blindspot": [Blindspot(network) for network in NETWORKS],
    "Pipeline": [
        Pipeline([("scale", StandardScaler()), ("model", NPO(NETWORKS[0]))]),
        Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())]),
        Pipeline(
            [("scale", StandardScaler()), ("model", DropoutClassifier((32,), **SMALL))]
        ),
        Pipeline([("scale", MinMaxScaler()), ("model", KNeighborsRegressor())]),
        Pipeline([("scale", StandardScaler()), ("pca", PCA(svd_solver="full"))]),
        Pipeline(
            [("scale", StandardScaler()), ("model", ExactUnlearner(GaussianNB()))]
        ),
    ],
}

# Checks of scikit-learn that may fail, with a reason each.
EXPECTED_FAILURES: dict[str, dict[str, str]] = {
    # scikit-learn expects the same two of its own Pipeline
    "DropoutClassifier": {
        "check_sample_weight_equivalence_on_dense_data": "rows of weight 0 still fill "
        "batches, and repeated rows make more of them",
    },
    "DropoutRegressor": {
        "check_sample_weight_equivalence_on_dense_data": "rows of weight 0 still fill "
        "batches, and repeated rows make more of them",
    },
    "Pipeline": {
        "check_dont_overwrite_parameters": "fit writes the parameter steps",
        "check_estimators_overwrite_params": "fit writes the parameter steps",
    },
}


def all_instances():
    """Every instance, in one list."""
    return [estimator for instances in INSTANCES.values() for estimator in instances]


def expected_failures(estimator):
    """Names of scikit-learn's checks that `estimator` may fail, with reasons."""
    return EXPECTED_FAILURES.get(type(estimator).__name__, {})
