"""Machine unlearning as scikit-learn estimators.

Sub-packages are imported when they are first used, so that ``import sklearn_unlearn``
costs next to nothing and brings neither scikit-learn nor torch.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import importlib

__version__ = "0.1.0.dev0"

_submodules = [
    "audit",
    "base",
    "dropout",
    "exact",
    "exceptions",
    "metrics",
    "model_selection",
    "neural_network",
    "pipeline",
    "unlearning",
    "utils",
]

__all__ = [*_submodules, "__version__", "show_versions"]


def __dir__():
    return sorted(__all__)


def __getattr__(name):
    if name in _submodules:
        return importlib.import_module(f"sklearn_unlearn.{name}")
    if name == "show_versions":
        from sklearn_unlearn._show_versions import show_versions

        return show_versions
    raise AttributeError(f"module 'sklearn_unlearn' has no attribute {name!r}")
