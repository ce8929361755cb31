"""Points in time are found in any unit, and are neither spans nor numbers."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from sklearn_unlearn.exact import Retrain
from sklearn_unlearn.exceptions import UnknownRowsError

pd = pytest.importorskip("pandas")
TIMES = pd.Series(pd.date_range("2020-01-01", periods=20, freq="h"))


def fitted():
    frame = pd.DataFrame({"time": TIMES, "x": np.arange(20.0)})
    return Retrain(DummyClassifier()).fit(frame, np.arange(20) % 2)


def request(times):
    return pd.DataFrame({"time": times, "x": [3.0]})


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_time_in_any_unit(unit):
    times = TIMES[3:4].astype(f"datetime64[{unit}]").to_numpy()
    assert fitted().unlearn(request(times)).n_forgotten_ == 1


@pytest.mark.parametrize(
    "times",
    [
        (TIMES - TIMES[0])[3:4].to_numpy(),
        (TIMES - pd.Timestamp(0))[3:4].to_numpy(),
        TIMES[3:4].astype("int64").to_numpy(),
        (TIMES + pd.Timedelta(1, "us"))[3:4].to_numpy(),
    ],
    ids=["span", "span since 1970", "number", "a microsecond later"],
)
def test_what_is_not_that_time(times):
    with pytest.raises(UnknownRowsError):
        fitted().unlearn(request(times))
