"""Reports of the epochs of a fit: printed, and to scikit-learn's callbacks."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.utils._sklearn_compat import begin_callbacks

__all__ = ["EpochReporter"]


class EpochReporter:
    """Prints losses, and calls scikit-learn's callbacks; an epoch is a task.

    Parameters
    ----------
    estimator : estimator instance
        The network that is being fitted.
    X, y : ndarray
        Training data, for callbacks that look at them.
    fitted : callable () -> dict
        Attributes that make a copy of the estimator predict at this moment.
    silent : bool
        Whether nothing is reported, as in a refit of ``unlearn``.
    """

    def __init__(self, estimator, X, y, fitted, silent=False):
        self._estimator, self._X, self._y, self._fitted = estimator, X, y, fitted
        self._context = self._epoch = None
        self._verbose = estimator.verbose and not silent
        if not silent:
            self._context = begin_callbacks(estimator, estimator.max_iter, X, y)

    def begin_epoch(self):
        """Report that an epoch begins."""
        if self._context is not None:
            self._epoch = self._context.subcontext(task_name="epoch")
            self._epoch.call_on_fit_task_begin(
                estimator=self._estimator, X=self._X, y=self._y
            )

    def end_epoch(self, history):
        """Report that an epoch ends; return whether a callback wants to stop."""
        if self._verbose:
            # in the words of scikit-learn's perceptrons
            print(f"Iteration {len(history.losses)}, loss = {history.losses[-1]:.8f}")
            if history.scores:
                print(f"Validation score: {history.scores[-1]:f}")
        if self._context is None:
            return False
        return self._epoch.call_on_fit_task_end(
            estimator=self._estimator,
            X=self._X,
            y=self._y,
            reconstruction_attributes=self._fitted,
        )

    def end_fit(self):
        """Report that the fit ends."""
        if self._context is not None:
            self._context.call_on_fit_task_end(
                estimator=self._estimator,
                X=self._X,
                y=self._y,
                reconstruction_attributes=self._fitted,
            )
