"""Warnings that point at the line of the user."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import contextlib
import os
import pickle
import sys
import warnings
from pathlib import Path

import joblib
import sklearn

import sklearn_unlearn

__all__ = ["warn_user"]

# ``skip_file_prefixes`` of ``warnings.warn`` would do, but needs Python 3.12
NOT_USER = (
    contextlib.__file__,
    pickle.__file__,
    *(
        f"{Path(package.__file__).parent}{os.sep}"
        for package in (joblib, sklearn, sklearn_unlearn)
    ),
)


def warn_user(message, category=None):
    """Warn at the line that called the package, however deep the call is.

    Parameters
    ----------
    message : str or Warning
    category : type of Warning, default=None
        None for a message that is a warning.
    """
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(NOT_USER):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
