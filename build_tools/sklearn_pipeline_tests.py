"""Run scikit-learn's own tests of its Pipeline, with ours in the place of it.

The tests are those of the scikit-learn that is installed. Where they import
``Pipeline`` and ``make_pipeline``, they are given ours. Any failure is an error, but
for the tests in `EXPECTED`; and so is one of these that passes. Arguments are passed on
to pytest.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import importlib
import sys
import types

import pytest
from sklearn import pipeline

from sklearn_unlearn.pipeline import Pipeline, make_pipeline

TESTS = "sklearn.tests.test_pipeline"
# They list all parameters of a pipeline. Ours has more.
EXPECTED = {
    "test_pipeline_raise_set_params_error",
    "test_set_pipeline_step_passthrough[None]",
    "test_set_pipeline_step_passthrough[passthrough]",
}


class WithOurPipeline:
    """Plugin of pytest that puts our pipeline in place and collects the outcomes."""

    def __init__(self):
        self.passed, self.failed = set(), set()

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self):
        """Give our pipeline to the module of tests, which is imported meanwhile."""
        ours = types.ModuleType(pipeline.__name__)
        vars(ours).update(vars(pipeline))
        ours.Pipeline, ours.make_pipeline = Pipeline, make_pipeline
        sys.modules[pipeline.__name__] = ours
        try:
            return (yield)
        finally:
            sys.modules[pipeline.__name__] = pipeline

    def pytest_runtest_logreport(self, report):
        """Note the outcome of a test."""
        name = report.nodeid.rpartition("::")[2]
        if report.failed:
            self.failed.add(name)
        elif report.passed and report.when == "call":
            self.passed.add(name)


def main(arguments):
    """Run the tests; return what is wrong, or None."""
    # all that they import besides is loaded before, with scikit-learn's pipeline in it
    importlib.import_module(TESTS)
    del sys.modules[TESTS]
    outcomes = WithOurPipeline()
    options = ["-q", "--disable-warnings", "-p", "no:cacheprovider", "-c", "/dev/null"]
    pytest.main([*options, "--pyargs", TESTS, *arguments], plugins=[outcomes])
    if not outcomes.passed:
        return "no test has run: are the tests of scikit-learn installed?"
    if unexpected := sorted(outcomes.failed - EXPECTED):
        return f"failed: {', '.join(unexpected)}"
    if fewer := sorted(outcomes.passed & EXPECTED):
        return f"passed, so take it out of EXPECTED: {', '.join(fewer)}"
    print(f"{len(outcomes.passed)} tests of scikit-learn's Pipeline passed with ours")
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
