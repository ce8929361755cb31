"""Each kind of module fits, forgets by every method and is saved, or is refused."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator

from sklearn_unlearn.exceptions import UnlearningWarning
from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.unlearning import NPO, Blindspot, FineTune, SalUn
from sklearn_unlearn.utils.estimator_checks import find_residue
from tests.neural_network._module_kinds import EDITED, KINDS, N_FEATURES, REFITTED

ROOT = Path(__file__).resolve().parents[2]
METHODS = [Blindspot, FineTune, NPO, SalUn]

rng = np.random.default_rng(0)
X = rng.normal(size=(40, N_FEATURES))
y = np.arange(40) % 2
X[:, 0] += y
GONE = slice(0, 4)

LOAD = """
import pickle, sys
import numpy as np
with open(sys.argv[1], "rb") as file:
    for name, rows, saved, expected in pickle.load(file):
        p = pickle.loads(saved).predict_proba(rows)
        assert np.array_equal(p, expected), name
"""


def network(name):
    return DropoutClassifier(
        module=KINDS[name][0],
        max_iter=2,
        n_iter_no_change=2,
        batch_size=10,
        learning_rate_init=0.01,
        mc_samples=2,
        random_state=0,
    )


def life_of(name):
    """Let a network of this kind fit and forget, and return models to be saved."""
    fate = KINDS[name][1]
    fitted = network(name).fit(X, y)
    p = fitted.predict_proba(X)
    assert np.allclose(p[5:7], fitted.predict_proba(X[5:7]), atol=1e-5)
    yield fitted
    exact = pickle.loads(pickle.dumps(fitted)).unlearn(X[GONE], y[GONE])
    again = network(name).fit(X[4:], y[4:])
    assert np.array_equal(exact.predict_proba(X), again.predict_proba(X))
    yield exact
    for method in METHODS:
        with warnings.catch_warnings(record=True) as record:
            warnings.simplefilter("always")
            model = method(FrozenEstimator(fitted), n_epochs=1, random_state=0)
            model.fit(X, y).unlearn(X[GONE], y[GONE])
        told = [str(w.message) for w in record if w.category is UnlearningWarning]
        refitted = any("fitted again on the retained rows" in text for text in told)
        assert refitted == (fate == REFITTED), told
        if method is NPO:
            assert not find_residue(model, X[GONE], X[4:])
        if refitted:
            assert np.array_equal(model.predict_proba(X), again.predict_proba(X))
        yield model


@pytest.fixture(scope="module")
def saved():
    """Models of all kinds, to be loaded in one fresh process."""
    return []


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
@pytest.mark.parametrize(
    "name",
    # every third kind in each run, all of them once a week
    [
        pytest.param(name, marks=[pytest.mark.slow] if i % 3 else [])
        for i, name in enumerate(KINDS)
    ],
)
def test_kind(name, saved):
    fate = KINDS[name][1]
    if fate in (EDITED, REFITTED):
        for model in life_of(name):
            saved.append((name, X, pickle.dumps(model), model.predict_proba(X)))
        return
    with pytest.raises((TypeError, ValueError, pickle.PicklingError), match=fate) as e:
        pickle.dumps(network(name).fit(X, y))
    assert "\n" not in str(e.value), "one sentence"


def test_all_kinds_load_in_a_fresh_process(saved, tmp_path):
    path = tmp_path / "models.pkl"
    path.write_bytes(pickle.dumps(saved))
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOAD, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr


def test_the_table_of_the_guide_is_true():
    text = (ROOT / "docs" / "modules.rst").read_text(encoding="utf-8")
    rows = re.findall(r"^   \* - (.+)\n     - (.+)$", text, re.MULTILINE)
    assert dict(rows[1:]) == {
        name: fate if fate in (EDITED, REFITTED) else "refused"
        for name, (_, fate) in KINDS.items()
    }
    assert len(KINDS) >= 60
