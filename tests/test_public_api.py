"""Every public name can be imported, is documented, and comes only when it is asked."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import importlib
import importlib.util
import inspect
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import sklearn_unlearn
from sklearn_unlearn.utils.discovery import (
    all_estimators,
    public_modules,
    public_objects,
)

ROOT = Path(__file__).resolve().parents[1]


def api_page():
    """The page of the API in the documentation, before Sphinx has seen it."""
    path = ROOT / "docs" / "api_reference.py"
    spec = importlib.util.spec_from_file_location("api_reference", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.api_page()


def documented():
    """Full names on the page of the API, as often as they are there."""
    module = None
    for line in api_page().splitlines():
        if line.startswith(".. currentmodule::"):
            module = line.split()[-1]
        elif re.fullmatch(r"   \w+", line):
            yield f"{module}.{line.strip()}"


DOCUMENTED = Counter(documented())
PUBLIC = {f"{module}.{name}": thing for module, name, thing in public_objects()}


@pytest.mark.parametrize("name", sorted(public_modules()))
def test_all_is_importable(name):
    module = importlib.import_module(name)
    names = getattr(module, "__all__", [])
    assert len(names) == len(set(names))
    for attribute in names:
        assert getattr(module, attribute) is not None


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_public_name_is_in_the_api_list(name):
    assert DOCUMENTED[name] == 1, "it is in one section of the page, once"
    pages = [other for other, thing in PUBLIC.items() if thing is PUBLIC[name]]
    assert pages == [name], "it is public in one module"
    first = inspect.getdoc(PUBLIC[name]).partition("\n")[0]
    assert first.endswith("."), "the line beside it is the first of its docstring"


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
def test_api_list_is_public(name):
    assert name in PUBLIC, "not in the __all__ of its module"


def test_public_objects_are_ours():
    foreign = [
        name
        for _, name, thing in public_objects()
        if not thing.__module__.startswith("sklearn_unlearn")
    ]
    assert not foreign


def test_submodules_are_complete():
    there = {
        name.split(".")[1] for name in public_modules() if name != "sklearn_unlearn"
    }
    assert there | {"__version__", "show_versions"} == set(sklearn_unlearn.__all__)


def test_submodules_are_lazy():
    code = (
        "import sys, sklearn_unlearn\n"
        "assert 'sklearn_unlearn.exact' not in sys.modules\n"
        "assert 'exact' in dir(sklearn_unlearn)\n"
        "sklearn_unlearn.exact.Retrain\n"
        "from sklearn_unlearn import pipeline\n"
        "assert 'sklearn_unlearn.exact' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_dir_and_unknown_name():
    assert dir(sklearn_unlearn) == sorted(sklearn_unlearn.__all__)
    assert {"__version__", "show_versions", "exact"} <= set(dir(sklearn_unlearn))
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        _ = sklearn_unlearn.no_such_name


def test_show_versions(capsys):
    sklearn_unlearn.show_versions()
    lines = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in lines]
    assert names == [
        "python",
        "platform",
        "sklearn-unlearn",
        "scikit-learn",
        "numpy",
        "scipy",
        "torch",
        "skorch",
        "pandas",
    ]
    assert "not" not in next(line for line in lines if "scikit-learn" in line).split()


def test_all_estimators():
    found = all_estimators()
    assert found == sorted(found, key=lambda pair: pair[0])
    assert {"ExactUnlearner", "Pipeline", "Retrain"} <= {name for name, _ in found}
    assert "BaseUnlearner" not in dict(found), "it is abstract"
    unlearners = all_estimators(["unlearner", "classifier"])
    assert set(unlearners) <= set(found)
    with pytest.raises(ValueError, match="type_filter"):
        all_estimators("forgetter")
