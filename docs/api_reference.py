"""The page of the API: what discovery finds, module by module.

``conf.py`` writes it to ``api.rst``, and ``tests/test_public_api.py`` checks it. A name
comes from the ``__all__`` of its module, the introduction of a section is the first
paragraph of the docstring of the module, and the line beside a name is the first of its
own docstring. So a class that is public is on this page without a change here.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import inspect
from importlib import import_module

from torch import nn

from sklearn_unlearn.neural_network import DropoutClassifier, DropoutRegressor
from sklearn_unlearn.unlearning import NetworkUnlearner
from sklearn_unlearn.utils.discovery import public_modules, public_objects

# Headings, in the order in which the sections are shown. A module that is not here
# comes after them, under its own name.
TITLES = {
    "sklearn_unlearn.pipeline": "Pipelines that forget",
    "sklearn_unlearn.neural_network": "Networks with dropout, and adapters by slice",
    "sklearn_unlearn.dropout": "Layers of dropout",
    "sklearn_unlearn.exact": "Exact and certified forgetting",
    "sklearn_unlearn.model_selection": "Forget sets, and searches that forget",
    "sklearn_unlearn.unlearning": "Approximate unlearning of networks",
    "sklearn_unlearn.audit": "Audits: did it really forget?",
    "sklearn_unlearn.audit.attacks": "Attacks",
    "sklearn_unlearn.audit.stress": "Stress tests of audits",
    "sklearn_unlearn.metrics": "Metrics of unlearning",
    "sklearn_unlearn.base": "The contract",
    "sklearn_unlearn.exceptions": "Errors and warnings",
    "sklearn_unlearn.utils.estimator_checks": "Checks for estimators",
    "sklearn_unlearn.utils.discovery": "Discovery",
    "sklearn_unlearn": "The package itself",
}


def api_reference():
    """Return the sections of the page, by name of the module.

    Each has a ``title``, the ``summary`` of the module, and ``names``.
    """
    modules, names = public_modules(), {}
    for module, name, _ in public_objects():
        names.setdefault(module, []).append(name)
    order = [module for module in TITLES if module in names]
    order += sorted(names.keys() - set(TITLES))
    return {
        module: {
            "title": TITLES.get(module, module),
            "summary": inspect.getdoc(modules[module]).partition("\n\n")[0],
            "names": names[module],
        }
        for module in order
    }


def api_page():
    """Return the text of the page ``api.rst``."""
    lines = [".. _api:", "", "===", "API", "===", ""]
    for module, section in api_reference().items():
        lines += [
            section["title"],
            "=" * len(section["title"]),
            "",
            f".. currentmodule:: {module}",
            "",
            f"``{module}``",
            "",
            section["summary"],
            "",
            ".. autosummary::",
            "   :toctree: generated/",
            "   :nosignatures:",
            "",
            *(f"   {name}" for name in section["names"]),
            "",
        ]
    return "\n".join(lines)


def documented_members(module, name):
    """Return the names of what a class has, for its own page.

    Left out are methods that ask for metadata, which are the same everywhere, and
    those of torch, which documents its modules. A method that edits networks has what
    networks have. What a tuple holds is in its docstring.
    """
    cls = getattr(import_module(module), name)
    names = [n for n in dir(cls) if not n.startswith("_")]
    names = [n for n in names if n != "get_metadata_routing" and n[-8:] != "_request"]
    if issubclass(cls, tuple):
        return [
            n
            for n in names
            if n not in getattr(cls, "_fields", ()) and not hasattr(tuple, n)
        ]
    if issubclass(cls, nn.Module):
        return [n for n in names if n == "forward" or not hasattr(nn.Module, n)]
    if issubclass(cls, NetworkUnlearner):
        models = [cls(DropoutClassifier()), cls(DropoutRegressor())]
        return [n for n in names if any(hasattr(model, n) for model in models)]
    return names
