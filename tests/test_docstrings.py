"""Docstrings follow numpydoc, and everything in them that looks like code runs."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import ast
import doctest
import importlib
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sklearn_unlearn.utils.discovery import public_objects

ROOT = Path(__file__).resolve().parents[1]
# the type is enough for what is returned; summaries may begin on the first line
IGNORED = {"GL01", "GL02", "RT02"}
# a method is read on the page of its class, which has the examples
IGNORED_FOR_METHODS = IGNORED | {"ES01", "EX01", "SA01"}
# a name and its parameters may say all that there is to say
IGNORED_FOR_FUNCTIONS = IGNORED | {"ES01"}
# made by scikit-learn
GENERATED = re.compile(r"set_\w+_request|get_metadata_routing")

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def own_methods(cls):
    """Public methods and properties that `cls` itself defines and documents."""
    for name, value in vars(cls).items():
        if name.startswith("_") or GENERATED.fullmatch(name):
            continue
        if not (isinstance(value, property) or callable(getattr(cls, name))):
            continue  # constants, and the fields of a data class
        inherited = (getattr(base, name, None) for base in cls.__mro__[1:])
        if value.__doc__ is None and any(getattr(b, "__doc__", 0) for b in inherited):
            continue  # what it overrides has the documentation
        yield name


def public_docstrings():
    """Full names of what is public, with the kind of each."""
    found = {}
    for module, name, thing in public_objects():
        full = f"{module}.{name}"
        found[full] = "class" if inspect.isclass(thing) else "function"
        if inspect.isclass(thing):
            found.update({f"{full}.{n}": "method" for n in own_methods(thing)})
    return found


DOCSTRINGS = public_docstrings()
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "sklearn_unlearn").rglob("*.py")
)
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.rst")]
    if path.name != "api.rst"
)

# Before numpy 2 a number showed itself without its type, and what scikit-learn prints
# of an estimator varies too: the newest releases are what the examples show.
shows_values = pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.0.0",
    reason="values look different in numpy 1",
)


@pytest.mark.parametrize("name", sorted(DOCSTRINGS))
def test_numpydoc(name):
    validate = pytest.importorskip(
        "numpydoc.validate", reason="numpydoc is not installed"
    ).validate
    ignored = {
        "class": IGNORED,
        "function": IGNORED_FOR_FUNCTIONS,
        "method": IGNORED_FOR_METHODS,
    }[DOCSTRINGS[name]]
    errors = [
        f"{code}: {message}"
        for code, message in validate(name)["errors"]
        if code not in ignored
    ]
    assert not errors, "\n".join(errors)


@shows_values
@pytest.mark.parametrize("name", MODULES)
def test_examples_of_module(name):
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module):
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


@shows_values
@pytest.mark.parametrize("name", PAGES)
def test_examples_of_page(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    # programs are run as such, and need not have been saved where their docstrings say
    text = re.sub(
        r"^```python\n(?!>>>).*?^```", "", text, flags=re.DOTALL | re.MULTILINE
    )
    test = doctest.DocTestParser().get_doctest(text, {}, name, name, 0)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    assert runner.run(test).failed == 0


@pytest.mark.parametrize("name", [page for page in PAGES if page.endswith(".md")])
def test_code_of_page(name):
    """Run the Python blocks of a page, one after another, as a reader would.

    In an interpreter of its own: what a page registers or sets must not stay.
    """
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = [
        block
        for block in re.findall(
            r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE
        )
        if not block.lstrip().startswith(">>>")
    ]
    if not blocks:
        pytest.skip("no Python code on this page")
    result = subprocess.run(
        [sys.executable, "-W", "error::FutureWarning", "-c", "\n".join(blocks)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr


def defaults():
    """Functions and classes with parameters whose documentation tells a default."""
    return [(f"{module}.{name}", thing) for module, name, thing in public_objects()]


def documented_defaults(thing):
    """Texts behind "default=" in the documentation of parameters, by their names."""
    lines = inspect.cleandoc(thing.__doc__ or "").partition("Parameters\n---")[2]
    lines = lines.partition("\n\n")[0]
    found = re.findall(r"^(\w+) : .*?default=(.+)$", lines, flags=re.MULTILINE)
    return dict(found)


@pytest.mark.parametrize(
    ("name", "thing"), [pytest.param(*pair, id=pair[0]) for pair in defaults()]
)
def test_defaults_are_those_of_the_signature(name, thing):
    for parameter, text in documented_defaults(thing).items():
        default = inspect.signature(thing).parameters[parameter].default
        text = text.replace("`", "")
        try:
            same = ast.literal_eval(text) == default
        except (SyntaxError, ValueError):  # a name, such as that of an object
            same = text == getattr(default, "__name__", repr(default))
        assert same, f"{name}: {parameter} is {default!r} by default, not {text}"
