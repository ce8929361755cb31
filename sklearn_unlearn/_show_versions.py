"""Versions to send along with a report of a bug."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import platform
from importlib import metadata

_DISTRIBUTIONS = (
    "scikit-learn",
    "numpy",
    "scipy",
    "torch",
    "skorch",
    "pandas",
)


def show_versions():
    """Print the versions of Python, this package and what it stands on.

    They are read from what is installed; nothing is imported.

    See Also
    --------
    sklearn.show_versions : More about scikit-learn and the system.

    Examples
    --------
    >>> import sklearn_unlearn
    >>> sklearn_unlearn.show_versions()
    python           ...
    platform         ...
    sklearn-unlearn  ...
    scikit-learn     ...
    """
    from sklearn_unlearn import __version__

    versions = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "sklearn-unlearn": __version__,
    }
    for name in _DISTRIBUTIONS:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    for name, version in versions.items():
        print(f"{name:16} {version}")
