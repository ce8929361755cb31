"""How unsure a net of skorch with dropout is: functions that are drawn from it."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy.special import entr
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_unlearn._engine._uncertainty import check_uncertainty_kind, entropy_part

__all__ = ["ClassFunctions", "NumberFunctions"]

# As many as the networks of the package draw by default, the same in every call.
N_DRAWS, SEED = 50, 0


def _is_random(self):
    """Tell whether functions can be drawn; raise if not."""
    check_is_fitted(self)
    if not self._network.is_stochastic:
        raise AttributeError(
            "The module of the net has no layer of dropout: it is one function, and "
            "knows no uncertainty."
        )
    if self._network.drops_by_functions:
        raise AttributeError(
            "The module of the net drops units by functions such as "
            "torch.nn.functional.dropout, which the uncertainty would leave out. Use a "
            "registered torch.nn.Dropout for each of them."
        )
    return True


class Functions:
    """Part of both models: a function is the module with one set of dropped units."""

    def _draw(self, reduce, X, n_draws=N_DRAWS, random_state=SEED):
        """Reduce the values of functions; see `FittedModule.apply`."""
        rng = check_random_state(random_state)
        seed = rng.randint(np.iinfo(np.int32).max)
        return self._network.apply(reduce, self._check_X(X), n_draws, seed)


class ClassFunctions(Functions):
    """Part of `SkorchClassifier`."""

    @available_if(_is_random)
    def sample_proba(self, X, n_samples=1, random_state=0):
        """Return the probabilities that drawn functions give."""
        drawn = self._draw(
            lambda f: self._probabilities(f).swapaxes(0, 1), X, n_samples, random_state
        )
        return drawn.swapaxes(0, 1)

    @available_if(_is_random)
    def predict_uncertainty(self, X, kind="total"):
        """Return the entropy of the mean over functions, or a part of it, in nats."""
        check_uncertainty_kind(kind)

        def entropy(p):
            return entr(p).sum(axis=-1)

        return self._draw(
            lambda f: entropy_part(entropy, self._probabilities(f), kind), X
        )


class NumberFunctions(Functions):
    """Part of `SkorchRegressor`."""

    @available_if(_is_random)
    def sample_y(self, X, n_samples=1, random_state=0):
        """Return the values of drawn functions."""
        drawn = self._draw(lambda f: f.swapaxes(0, 1), X, n_samples, random_state)
        values = drawn.swapaxes(1, 2)
        return values[:, 0] if self._single_target else values

    @available_if(_is_random)
    def predict_uncertainty(self, X, kind="total"):
        """Return the variance of the functions; nothing is known of the noise."""
        check_uncertainty_kind(kind)
        if kind != "epistemic":
            raise ValueError(
                f"kind={kind!r} is not known of a net of skorch, which has no model of "
                'the noise: ask for kind="epistemic", or train the module as '
                "DropoutRegressor(module=...)."
            )
        variance = self._draw(lambda f: f.var(axis=0), X)
        return variance[:, 0] if self._single_target else variance
