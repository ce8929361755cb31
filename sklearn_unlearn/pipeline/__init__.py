"""scikit-learn's Pipeline, which can also forget rows through all of its steps."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.pipeline._memory_report import (
    AttributeMemory,
    PipelineMemory,
    pipeline_memory,
)
from sklearn_unlearn.pipeline._pipeline import Pipeline, make_pipeline

__all__ = [
    "AttributeMemory",
    "Pipeline",
    "PipelineMemory",
    "make_pipeline",
    "pipeline_memory",
]
