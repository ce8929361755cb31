"""scikit-learn's Pipeline, which can also forget rows through all of its steps.

The pipeline itself, the change of coordinates that its last step is taken through,
and the report on what each fitted attribute knows of rows. It stands on ``exact``,
whose rules its steps forget by; nobody imports it.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import warnings

from sklearn_unlearn.pipeline._pipeline import Pipeline, make_pipeline
from sklearn_unlearn.pipeline._trace_report import (
    AttributeTrace,
    TraceReport,
    trace_rows,
)

__all__ = [
    "AttributeTrace",
    "Pipeline",
    "TraceReport",
    "make_pipeline",
    "trace_rows",
]

# What these were called when the package spoke of memory, which is joblib's word.
_FORMER_NAMES = {
    "AttributeMemory": AttributeTrace,
    "PipelineMemory": TraceReport,
    "pipeline_memory": trace_rows,
}


def __getattr__(name):
    if name not in _FORMER_NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    present = _FORMER_NAMES[name]
    warnings.warn(
        f"sklearn_unlearn.pipeline.{name} is called {present.__name__} now; the old "
        "name goes in version 0.3.",
        FutureWarning,
        stacklevel=2,
    )
    return present
