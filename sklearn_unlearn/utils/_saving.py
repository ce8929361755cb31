"""How an estimator is saved and loaded, by pickle, joblib or skops."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module

from sklearn_unlearn import __version__
from sklearn_unlearn.exceptions import UnlearnerVersionWarning
from sklearn_unlearn.utils._saved import check_schema, from_plain, to_plain
from sklearn_unlearn.utils._warnings import warn_user

__all__ = ["SavesPlainState", "copying"]

STAMP = "_saved_with"

_COPYING = ContextVar("_COPYING", default=False)


class SavesPlainState:
    """Mixin of estimators whose files hold no private classes, but versions."""

    # number of the layout of the attributes, to count up when it changes
    _schema = 1
    # modules, beside the package, whose versions matter to what was learnt
    _saved_with_modules = ("sklearn",)

    @classmethod
    def _read_schema(cls, state, schema):
        """Return attributes that an older schema laid out, in the present layout."""
        return state

    def __getstate__(self):
        state = super().__getstate__()
        if _COPYING.get():
            return state
        stamp = {"schema": self._schema, **_versions(self)}
        return {**to_plain(dict(state)), STAMP: stamp}

    def __setstate__(self, state):
        state = dict(state)
        if not _COPYING.get():
            stamp = dict(state.pop(STAMP, {}))
            schema = stamp.pop("schema", self._schema)
            check_schema(type(self).__name__, schema, self._schema)
            _warn_of_versions(self, stamp)
            state = from_plain(state)
            if schema < self._schema:
                state = self._read_schema(state, schema)
        if hasattr(super(), "__setstate__"):
            super().__setstate__(state)
        else:
            self.__dict__.update(state)


@contextmanager
def copying():
    """Let states, for as long as this lasts, be what they are and not what files hold.

    A ``__deepcopy__`` would do, but that a ``FrozenEstimator`` passes it on.
    """
    token = _COPYING.set(True)
    try:
        yield
    finally:
        _COPYING.reset(token)


def _versions(estimator):
    """Return the versions that an estimator would be saved with, by module."""
    versions = {"sklearn_unlearn": __version__}
    for name in estimator._saved_with_modules:
        # what follows a plus sign is the build, for a processor or another
        versions[name] = import_module(name).__version__.partition("+")[0]
    return versions


def _warn_of_versions(estimator, saved):
    """Warn if an estimator was saved with other versions than it is loaded with."""
    present = _versions(estimator)
    differing = {
        name: (saved.get(name, "unknown"), version)
        for name, version in present.items()
        if saved.get(name) != version
    }
    if differing:
        name = type(estimator).__name__
        warn_user(UnlearnerVersionWarning(name, differing))
