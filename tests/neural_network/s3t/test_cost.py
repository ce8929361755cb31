"""How many requests an ensemble stands."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from itertools import pairwise

import numpy as np
import pytest

from sklearn_unlearn.neural_network import s3t_cost


def test_more_sequences_last_longer():
    # as simulated with the code of the paper's authors, to about 5 %
    reference = [72, 85, 102, 109, 113, 118]
    costs = [s3t_cost(5, 6, b) for b in range(1, 7)]
    failure = [cost.failure for cost in costs]
    np.testing.assert_allclose(failure, reference, rtol=0.06)
    assert all(a < b for a, b in pairwise(failure))
    assert costs[0].first_retraining == pytest.approx(6)
    assert costs[0].fit_per_request == pytest.approx(1 / 30)
    assert s3t_cost(5, 6, 3).slices_in_use == 6
    # beyond one for each slice, sequences leave longer prefixes, not more of them
    many, some = (s3t_cost(5, 6, b, n_requests=40) for b in (12, 6))
    assert many.failure == some.failure
    assert many.slices_in_use > some.slices_in_use
    with pytest.raises(ValueError, match="n_slices"):
        s3t_cost(5, 0)
