"""Models of past versions, in files that must go on loading."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import OneHotEncoder

from sklearn_unlearn.exact import ExactUnlearner
from sklearn_unlearn.pipeline import make_pipeline
from tests._instances import INSTANCES, MODULE, rows_for, seeded

# one folder for each version
FOLDER = Path(__file__).parent / "saved"
N_ROWS = 30


def outputs(model, X):
    """What a model makes of the rows it was fitted on, as an array."""
    names = ("predict_proba", "predict", "transform", "score_samples")
    made = getattr(model, next(name for name in names if hasattr(model, name)))(X)
    return made.toarray() if hasattr(made, "toarray") else np.asarray(made)


def models_to_save():
    """Yield the name of a model, the fitted model, and rows that it has not forgotten.

    One for each public estimator, and some that keep other things.
    """
    for name, (estimator, *_) in INSTANCES.items():
        yield name, *_fitted(seeded(estimator), *rows_for(estimator, N_ROWS))
    X, y = rows_for(MODULE, N_ROWS)
    yield "a module", *_fitted(seeded(MODULE), X, y)
    yield "groups", *_fitted(ExactUnlearner(GaussianNB()), X, y, groups=y)
    import pandas as pd

    words = np.array(["x", "y", "z"])[np.arange(N_ROWS) % 3]
    frame = pd.DataFrame({"word": words, "category": pd.Categorical(words)})
    model = make_pipeline(OneHotEncoder(), LogisticRegression())
    yield "a frame of pandas", *_fitted(model, frame, y)


def _fitted(model, X, y, **fit_params):
    """Return a model that has forgotten its first two rows, and the others."""
    model.fit(X, y, **fit_params)
    return model.unlearn(X[:2]), X[2:]
