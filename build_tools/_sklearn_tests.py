"""Run tests of the installed scikit-learn with our classes in the place of its own."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import importlib
import re
import sys
import types

import pytest

__all__ = ["run"]

OPTIONS = ["-q", "--disable-warnings", "-p", "no:cacheprovider", "-c", "/dev/null"]


class InPlace:
    """Plugin of pytest that puts our classes in place and collects the outcomes."""

    def __init__(self, module, ours, refusal):
        self.passed, self.failed, self.refused = set(), set(), set()
        self._module, self._refusal = module, refusal
        self._ours = types.ModuleType(module.__name__)
        vars(self._ours).update(vars(module) | ours)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self):
        """Give our classes to the module of tests, which is imported meanwhile."""
        sys.modules[self._module.__name__] = self._ours
        try:
            return (yield)
        finally:
            sys.modules[self._module.__name__] = self._module

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        """Note the outcome of a test."""
        report = yield
        if report.failed:
            refused = self._refusal and re.search(self._refusal, _errors(call))
            (self.refused if refused else self.failed).add(item.name)
        elif report.passed and report.when == "call":
            self.passed.add(item.name)
        return report


def _errors(call):
    """Return the messages of the exception of a call, and of those that led to it."""
    messages, error = [], call.excinfo.value
    while error is not None:
        messages.append(str(error))
        error = error.__cause__ or error.__context__
    return "\n".join(messages)


def run(tests, module, ours, expected, refusal=None, arguments=()):
    """Run a module of tests; return what is wrong, or None.

    Parameters
    ----------
    tests : str
        Name of the module of tests.
    module : module
        Where the tests import scikit-learn's classes from.
    ours : dict of str to object
        What they get instead, by scikit-learn's name of it.
    expected : dict of str to str
        Why a test fails, by the name of the test, parameters included. Any other
        failure is an error, and so is one of these that passes.
    refusal : str, default=None
        Pattern of error messages; tests that fail with one are left out of the count.
    arguments : sequence of str, default=()
        More arguments of pytest.
    """
    # all that they import besides is loaded before, with scikit-learn's own in it
    importlib.import_module(tests)
    del sys.modules[tests]
    outcomes = InPlace(module, ours, refusal)
    pytest.main([*OPTIONS, "--pyargs", tests, *arguments], plugins=[outcomes])
    if not outcomes.passed:
        return "no test has run: are the tests of scikit-learn installed?"
    if unexpected := sorted(outcomes.failed - expected.keys()):
        return f"failed: {', '.join(unexpected)}"
    if fewer := sorted(outcomes.passed & expected.keys()):
        return f"passed, so they are no longer expected to fail: {', '.join(fewer)}"
    print(
        f"{tests} with {', '.join(ours)} of ours: {len(outcomes.passed)} passed, "
        f"{len(outcomes.failed)} failed as expected, {len(outcomes.refused)} left out"
    )
    for name in sorted(outcomes.failed):
        print(f"    {name}: {expected[name]}")
    return None
