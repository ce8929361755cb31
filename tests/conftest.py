"""What all tests share."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import importlib.util
import os
import re
import sys
from pathlib import Path

import hypothesis
import pytest
import sklearn

# no window may open; set before anything can import matplotlib
os.environ["MPLBACKEND"] = "Agg"

# how many random programs test_contract_machine.py runs for each estimator; the other
# tests with hypothesis say themselves how many examples they need
hypothesis.settings.register_profile("normal", max_examples=10, derandomize=True)
hypothesis.settings.register_profile("weekly", max_examples=500)
hypothesis.settings.load_profile("normal")

ROOT = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items):
    """Refuse names of tests with an address or a set: other workers have another."""
    named = [
        item.nodeid
        for item in items
        if re.search(r"\bat 0x[0-9a-f]|=\{'\w+',", item.nodeid)
    ]
    if named:
        raise pytest.UsageError(
            f"Give these tests ids without addresses and sets: {named}"
        )


@pytest.fixture(autouse=True)
def _same_sklearn_config():
    """Undo what a test does to the configuration of scikit-learn."""
    config = sklearn.get_config()
    yield
    sklearn.set_config(**config)


@pytest.fixture(autouse=True)
def _gradients_stay_on():
    """Make sure that no mode without gradients is left, whatever was interrupted."""
    yield
    torch = sys.modules.get("torch")
    if torch is not None and not torch.is_grad_enabled():
        torch.set_grad_enabled(True)
        pytest.fail("gradients were left disabled")


@pytest.fixture(scope="session")
def data_dir():
    """Folder of the real data sets, which are not part of the repository.

    The variable ``SKLEARN_UNLEARN_DATA`` names another one.
    """
    default = ROOT.parent / "shared" / "data"
    folder = Path(os.environ.get("SKLEARN_UNLEARN_DATA", default))
    if not (folder / "loaders.py").is_file():
        pytest.skip("the real data sets are not here (set SKLEARN_UNLEARN_DATA)")
    return folder


@pytest.fixture(scope="session")
def loaders(data_dir):
    """Module with one function per real data set."""
    spec = importlib.util.spec_from_file_location("loaders", data_dir / "loaders.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
