"""Small instances of every public unlearner, for tests that run over all of them.

Estimators come from discovery. The table `CHOSEN` has those whose defaults are too slow
or that need more than one instance; `default_instances` makes those of any other class,
so that a new one is tested without a change here.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import inspect

import numpy as np
from sklearn.base import (
    ClassifierMixin,
    RegressorMixin,
    clone,
    is_classifier,
    is_regressor,
)
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.feature_selection import VarianceThreshold
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.impute import SimpleImputer
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeCV,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import BernoulliNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import (
    KernelDensity,
    KNeighborsClassifier,
    KNeighborsRegressor,
    LocalOutlierFactor,
    NearestCentroid,
    RadiusNeighborsRegressor,
)
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import get_tags
from torch import nn

from sklearn_unlearn.exact import (
    CertifiedLogisticRegression,
    ExactUnlearner,
    RemovalForestClassifier,
    RemovalForestRegressor,
    Retrain,
    SISAClassifier,
    SISARegressor,
)
from sklearn_unlearn.model_selection import SearchUnlearner
from sklearn_unlearn.neural_network import (
    DropoutClassifier,
    DropoutRegressor,
    S3TClassifier,
    S3TRegressor,
)
from sklearn_unlearn.pipeline import Pipeline
from sklearn_unlearn.unlearning import NPO, FineTune, NetworkUnlearner
from sklearn_unlearn.utils.discovery import all_estimators, public_objects

# small, and yet able to learn what the checks ask for
SMALL = {"max_iter": 30, "n_iter_no_change": 30, "learning_rate_init": 0.02}
SMALL |= {"batch_size": 32, "mc_samples": 10, "random_state": 0}
SMALL_S3T = {"n_shards": 2, "n_slices": 2, "n_components": 32, "rank": 4}
SMALL_S3T |= {"n_epochs": 10, "learning_rate_init": 0.01, "random_state": 0}


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

# By name of the public class: instances in the place of those of `default_instances`.
CHOSEN = {
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
    "CertifiedLogisticRegression": [
        CertifiedLogisticRegression(),
        CertifiedLogisticRegression(bound="lipschitz", fit_intercept=False),
    ],
    "SISAClassifier": [
        SISAClassifier(LogisticRegression(), n_shards=3),
        SISAClassifier(
            SGDClassifier(loss="log_loss"), n_shards=2, n_slices=3, vote="soft"
        ),
        SISAClassifier(LogisticRegression(), n_shards=2, n_slices=2),
    ],
    "SISARegressor": [
        SISARegressor(Ridge(), n_shards=3),
        SISARegressor(SGDRegressor(), n_shards=2, n_slices=2),
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
    "S3TClassifier": [S3TClassifier(**SMALL_S3T)],
    "S3TRegressor": [S3TRegressor(**SMALL_S3T)],
    "FineTune": [FineTune(network, l1=1e-5) for network in NETWORKS],
    "NPO": [NPO(network) for network in (*NETWORKS, MODULE)],
    "SearchUnlearner": [
        SearchUnlearner(GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2)),
        SearchUnlearner(
            GridSearchCV(LogisticRegression(max_iter=1000), {"C": [0.1, 1.0]}, cv=2),
            on_forget="best",
        ),
        SearchUnlearner(
            GridSearchCV(
                ExactUnlearner(Ridge()), {"estimator__alpha": [0.1, 1.0]}, cv=2
            ),
            on_forget="best",
        ),
    ],
    "Pipeline": [
        Pipeline([("scale", StandardScaler()), ("model", NPO(NETWORKS[0]))]),
        Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())]),
        Pipeline(
            [("scale", StandardScaler()), ("model", DropoutClassifier((32,), **SMALL))]
        ),
        Pipeline([("scale", MinMaxScaler()), ("model", KNeighborsRegressor())]),
        Pipeline(
            [("pca", PCA(svd_solver="full")), ("model", S3TClassifier(**SMALL_S3T))]
        ),
        Pipeline([("scale", StandardScaler()), ("pca", PCA(svd_solver="full"))]),
        Pipeline(
            [("scale", StandardScaler()), ("model", ExactUnlearner(GaussianNB()))]
        ),
    ],
}


def default_instances(cls):
    """Make small instances of a public estimator that `CHOSEN` does not name.

    A method that edits networks gets a network of each task, another meta-estimator a
    linear model of each task that it is for, and any other class its own defaults.
    """
    if issubclass(cls, NetworkUnlearner):
        return [cls(network) for network in NETWORKS]
    if "estimator" not in inspect.signature(cls).parameters:
        return [cls()]
    if issubclass(cls, ClassifierMixin):
        return [cls(LogisticRegression())]
    if issubclass(cls, RegressorMixin):
        return [cls(Ridge())]
    return [cls(LogisticRegression()), cls(Ridge())]


def public_subclasses(base):
    """List the public classes that derive from `base`, without `base` itself."""
    return [
        thing
        for _, _, thing in public_objects()
        if inspect.isclass(thing) and issubclass(thing, base) and thing is not base
    ]


# By name of the public class.
INSTANCES = {
    name: CHOSEN.get(name) or default_instances(cls)
    for name, cls in all_estimators("unlearner")
}

# Methods that train a fitted network to forget.
NETWORK_METHODS = public_subclasses(NetworkUnlearner)

# More rules of ExactUnlearner, for the checks of the contract alone: what scikit-learn
# checks is the same for all of them.
RULES = [
    ExactUnlearner(estimator)
    for estimator in (
        MaxAbsScaler(),
        RobustScaler(),
        SimpleImputer(strategy="median"),
        OrdinalEncoder(),
        VarianceThreshold(),
        RidgeCV(),
        KernelRidge(kernel="rbf"),
        GaussianProcessRegressor(alpha=0.1, optimizer=None),
        SVC(gamma=0.3, tol=1e-12),
        BernoulliNB(),
        ComplementNB(),
        MultinomialNB(),
        LinearDiscriminantAnalysis(),
        QuadraticDiscriminantAnalysis(reg_param=0.1),
        NearestCentroid(),
        DummyClassifier(),
        DummyRegressor(),
        RadiusNeighborsRegressor(radius=100.0),
        LocalOutlierFactor(novelty=True),
        KernelDensity(),
        make_union(StandardScaler(), PCA(2, svd_solver="full")),
        ColumnTransformer([("scale", StandardScaler(), [0])], remainder=MinMaxScaler()),
        make_pipeline(StandardScaler(), LogisticRegression()),
    )
]

# Checks of scikit-learn that may fail, with a reason each.
EXPECTED_FAILURES: dict[str, dict[str, str]] = {
    # scikit-learn expects the same two of its own Pipeline
    "DropoutClassifier": {
        f"check_sample_weight_equivalence_on_{kind}_data": "rows of weight 0 still "
        "fill batches, and repeated rows make more of them"
        for kind in ("dense", "sparse")
    },
    "DropoutRegressor": {
        f"check_sample_weight_equivalence_on_{kind}_data": "rows of weight 0 still "
        "fill batches, and repeated rows make more of them"
        for kind in ("dense", "sparse")
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


def rows_for(estimator, n_rows=90):
    """Return positive rows, and a target if `estimator` wants one."""
    rng = np.random.default_rng(0)
    X = np.abs(rng.normal(size=(n_rows, 4)))
    code = np.arange(n_rows) % 3
    X += 1.5 * code[:, None] * [1.0, 0.0, 0.5, 0.0]
    if is_classifier(estimator):
        return X, np.array(["apple", "pear", "quince"])[code]
    if is_regressor(estimator):
        return X, X @ [1.0, -2.0, 0.5, 0.0] + 0.1 * rng.normal(size=n_rows)
    return X, code if get_tags(estimator).target_tags.required else None


def seeded(estimator):
    """Return an unfitted copy with a seed wherever there is none."""
    new = clone(estimator)
    seeds = {
        name: 0
        for name, value in new.get_params(deep=True).items()
        if name.split("__")[-1] == "random_state" and value is None
    }
    return new.set_params(**seeds)
