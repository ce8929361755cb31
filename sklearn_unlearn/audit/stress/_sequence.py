"""What a model was like after each of several requests."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass, field

import numpy as np

__all__ = ["SequentialUnlearning"]


@dataclass(frozen=True, eq=False)
class SequentialUnlearning:
    """What a model was like before, and after each of several requests.

    Each quantity stands beside that of models that are retrained after each request.

    Parameters
    ----------
    requests : tuple of ndarray of int
        Positions of the rows of each request.
    values : dict of str to ndarray of shape (n_requests + 1,)
        Of the model, by name. ``"loss"``: mean log loss, or squared error in variances
        of the target, on a batch of rows that are never asked for. ``"score"``:
        accuracy, or minus the mean squared error, there or on test rows. ``"largest
        logit"``: of the predicted labels; of numbers, the largest distance to the mean
        in standard deviations. ``"negative flips"``: share of rows that the model got
        right at the start. ``"forget signal"``: mean margin of the labels of all rows
        that were asked for. ``"weight step"``: relative change of the weights by each
        request. ``"rate sensitivity"``: how much more the loss would have changed at
        twice the learning rate, in standard deviations of retrained models.
    retrained : dict of str to ndarray of shape (n_references, n_requests + 1)
        The first five of these, of retrained models.
    alarms : dict of str to CollapseAlarm or None
        Of ``"loss"``, ``"largest logit"`` and ``"rate sensitivity"``.
    batch_gap : float
        Largest difference of predictions to a model that is asked for all rows at once,
        relative to their size. Exact methods get 0 up to rounding.
    batch_gap_retrained : float
        The same between two retrained models, which others get if they are perfect.

    See Also
    --------
    sequential_unlearning : Makes it.

    Examples
    --------
    >>> from sklearn_unlearn.audit.stress import SequentialUnlearning
    >>> SequentialUnlearning((), {}, {}, {}, 0.0, 0.0).first_alarm is None
    True
    """

    requests: tuple
    values: dict
    retrained: dict
    alarms: dict = field(default_factory=dict)
    batch_gap: float = np.nan
    batch_gap_retrained: float = np.nan

    @property
    def first_alarm(self):
        """The request after which the first alarm goes off, from 1; None without."""
        found = [a.request for a in self.alarms.values() if a is not None]
        return min((request for request in found if request is not None), default=None)

    def to_frame(self):
        """Return all values as a table.

        Returns
        -------
        pandas.DataFrame
            One row per request, and one before the first. The columns hold values of
            the model, and means of those of the retrained models.
        """
        import pandas as pd

        columns = {**self.values}
        columns |= {
            f"{name}, retrained": found.mean(axis=0)
            for name, found in self.retrained.items()
        }
        return pd.DataFrame(columns).rename_axis("request")
