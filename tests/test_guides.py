"""The programs in README.md and CONTRIBUTING.md, run from top to bottom."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import re

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator

from sklearn_unlearn.neural_network import DropoutClassifier
from tests._guides import ROOT, run_guide


@pytest.fixture
def run(monkeypatch):
    """Run all programs of a file in one module, and return it."""
    return lambda name: run_guide(name, monkeypatch)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_readme(run):
    assert run("README.md").model.n_forgotten_ == 10


def test_contributing(run):
    method = run("CONTRIBUTING.md").NegGradPlus
    # what the method is for: it forgets wrong labels, and keeps the others
    X, y = load_digits(return_X_y=True)
    X, y = X[:800] / 16, y[:800]
    rng = np.random.default_rng(0)
    wrong = rng.random(800) < 0.1
    y = np.where(wrong, (y + rng.integers(1, 10, 800)) % 10, y)
    network = DropoutClassifier((128,), dropout=0.1, batch_size=32, random_state=0)
    network.set_params(max_iter=100, n_iter_no_change=100, learning_rate_init=0.005)
    network.fit(X, y)
    assert network.score(X[wrong], y[wrong]) > 0.4
    model = method(FrozenEstimator(network), random_state=0).fit(X, y)
    model.unlearn(X[wrong], y[wrong])
    assert model.score(X[wrong], y[wrong]) < 0.1
    assert model.score(X[~wrong], y[~wrong]) > 0.95


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", "docs/images/request.svg"]
)
def test_files_that_a_page_names_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(re.findall(r"(?<![\w/.-])[a-z_]+(?:/[\w.]+)*/[\w]+\.py\b", text))
    assert named
    places = (ROOT, ROOT / "sklearn_unlearn")
    assert not {n for n in named if not any((p / n).is_file() for p in places)}
