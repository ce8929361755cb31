"""Random programs of requests, against the rows that should be left.

Each program fits an estimator and then asks it, in any order, to forget rows and ids,
to refuse what it must refuse, to be copied, pickled, exported and fitted again. Longer
runs are those of ``make test-weekly``.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import get_tags

from sklearn_unlearn.exact import (
    CertifiedLogisticRegression,
    ExactUnlearner,
    RemovalForestClassifier,
    SISAClassifier,
)
from sklearn_unlearn.exceptions import UnknownRowsError
from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.utils.estimator_checks import assert_same_state
from tests._instances import RULES, all_instances, rows_for, seeded

N_ROWS = 60
FEWEST = 24  # rows that are always left
METHODS = ("predict_proba", "decision_function", "predict", "transform")

places = st.lists(st.integers(0, N_ROWS - 1), min_size=1, max_size=4, unique=True)


def answers(model, X):
    """What a model says of rows, by method; labels only where there are no numbers."""
    found = {}
    for name in METHODS:
        if hasattr(model, name) and not (name == "predict" and found):
            values = getattr(model, name)(X)
            found[name] = getattr(values, "toarray", lambda v=values: np.asarray(v))()
    return found


def assert_same_answers(first, second, rtol):
    assert first.keys() == second.keys()
    for name, values in first.items():
        if values.dtype.kind == "f":
            size = np.abs(second[name][np.isfinite(second[name])]).max(initial=1e-300)
            np.testing.assert_allclose(values, second[name], rtol=0, atol=rtol * size)
        else:
            np.testing.assert_array_equal(values, second[name])


def quick(estimator):
    """Return an unfitted copy with a seed, which is fitted in a short time."""
    new = seeded(estimator)
    params = new.get_params()
    networks = [name[:-10] for name in params if name.endswith("mc_samples")]
    new.set_params(**{f"{name}max_iter": 3 for name in networks})
    return new.set_params(**{name: 0.1 for name in params if name.endswith("__C")})


def numbers_of_fit(model):
    """Return parameters that a fit depends on; a method's own say how to unlearn."""
    params = model.get_params()
    beside = {name: name[: name.rfind("__") + 2] for name in params if "__" in name}
    return {
        name: value
        for name, value in params.items()
        if isinstance(value, float) and np.isfinite(value)
        if f"{beside.get(name, '')}estimator" not in params
    }


class Contract(RuleBasedStateMachine):
    """A fitted estimator beside the positions of the rows that it should have."""

    def __init__(self, estimator):
        super().__init__()
        self.estimator = quick(estimator)
        X, self.y = rows_for(estimator, N_ROWS)
        X[1::10] = X[::10]  # equal rows, with equal targets and ids
        if self.y is not None:
            self.y[1::10] = self.y[::10]
        self.X, self.ids = X, np.arange(N_ROWS) // 2
        self.is_exact = get_tags(estimator).unlearner_tags.guarantee == "exact"

    @initialize(with_ids=st.booleans())
    def fit(self, with_ids):
        self.with_ids = with_ids
        self.kept = np.arange(N_ROWS)
        self.fit_again()

    @rule()
    def fit_again(self):
        self.model = self.fitted(copy.deepcopy(self.estimator))
        self.n_forgotten, self.n_requests = 0, 0

    def fitted(self, model):
        """Fit a model to the rows that are left."""
        ids = {"groups": self.ids[self.kept]} if self.with_ids else {}
        return model.fit(self.X[self.kept], self.target(self.kept), **ids)

    def target(self, rows):
        return None if self.y is None else self.y[rows]

    def gone(self, rows):
        """Note that these rows are forgotten: of equal ones, the last ones."""
        for row in rows:
            equal = (self.X[self.kept] == self.X[row]).all(axis=1)
            self.kept = np.delete(self.kept, np.flatnonzero(equal)[-1])
        self.n_forgotten += len(rows)
        self.n_requests += 1

    def chosen(self, places):
        return self.kept[sorted({place % len(self.kept) for place in places})]

    def refused(self, error, act):
        """Check that a request is refused, and changes nothing that a copy has."""
        before = copy.deepcopy(self.model)
        with pytest.raises(error):
            act()
        assert_same_state(copy.deepcopy(self.model), before, rtol=0.0, ignore=())

    def enough(self):
        return len(self.kept) > FEWEST + 8

    # ------------------------------------------------------------- what is forgotten

    @precondition(enough)
    @rule(places=places, with_target=st.booleans())
    def forget_rows(self, places, with_target):
        rows = self.chosen(places)
        target = self.target(rows) if with_target else None
        assert self.model.unlearn(self.X[rows], target) is self.model
        self.gone(rows)

    @precondition(lambda self: self.with_ids and self.enough())
    @rule(places=places)
    def forget_ids(self, places):
        ids = np.unique(self.ids[self.chosen(places)])
        self.model.unlearn(groups=ids)
        self.gone(self.kept[np.isin(self.ids[self.kept], ids)])

    @precondition(enough)
    @rule(places=places)
    def forget_what_is_known(self, places):
        rows = self.chosen(places)
        request = np.vstack([self.X[rows], self.X[rows] + 0.25])
        self.model.unlearn(request, on_unknown="ignore")
        self.gone(rows)

    @precondition(lambda self: not self.with_ids and self.enough())
    @rule(places=places)
    def forget_given_rows(self, places):
        rows = self.chosen(places)
        self.gone(rows)
        self.model.unlearn(
            self.X[rows],
            self.target(rows),
            X_retain=self.X[self.kept],
            y_retain=self.target(self.kept),
        )

    @rule()
    def forget_nothing(self):
        self.model.unlearn(self.X[:0])

    # --------------------------------------------------------------- what is refused

    @rule(places=places)
    def refuse_unknown_rows(self, places):
        rows = self.X[self.chosen(places)]
        request = np.vstack([rows, rows[:1] + 0.25])
        self.refused(UnknownRowsError, lambda: self.model.unlearn(request))

    @rule(place=st.integers(0, N_ROWS - 1))
    def refuse_a_second_time(self, place):
        rows = self.X[[place]]
        n_left = (self.X[self.kept] == rows).all(axis=1).sum()
        request = np.repeat(rows, n_left + 1, axis=0)
        self.refused(UnknownRowsError, lambda: self.model.unlearn(request))

    @rule(how=st.sampled_from(["all", "both", "neither", "column", "target", "ids"]))
    def refuse_a_wrong_request(self, how):
        X = self.X[self.kept]
        requests = {
            "all": (X,),
            "both": (X[:1], None, [0]),
            "neither": (None,),
            "column": (X[:1, 1:],),
            "target": (X[:1], [0, 0]),
            "ids": (None, None, ["nobody"]),
        }
        X_forget, y_forget, groups = (*requests[how], None, None)[:3]
        self.refused(
            ValueError, lambda: self.model.unlearn(X_forget, y_forget, groups=groups)
        )

    @rule(number=st.integers(0, 30))
    def refuse_changed_parameters(self, number):
        values = numbers_of_fit(self.model)
        if not values:
            return
        name = sorted(values)[number % len(values)]
        self.model.set_params(**{name: values[name] + 1.0})
        rows = self.X[self.kept[:1]]
        self.refused(ValueError, lambda: self.model.unlearn(rows))
        self.model.set_params(**{name: values[name]})

    # ------------------------------------------------------------ what changes nothing

    @rule(how=st.sampled_from([copy.copy, copy.deepcopy, None]))
    def copy(self, how):
        before = copy.deepcopy(self.model)
        loaded = pickle.loads(pickle.dumps(self.model)) if how is None else None
        self.model = loaded or how(self.model)
        assert_same_state(copy.deepcopy(self.model), before, rtol=0.0, ignore=())

    @rule()
    def export(self):
        exported, X = self.model.export(), self.X[self.kept]
        assert_same_answers(answers(exported, X), answers(self.model, X), 0.0)
        with pytest.raises(ValueError, match="exported"):
            exported.unlearn(X[:1])

    @rule()
    def compare(self):
        X = self.X[self.kept]
        found = answers(self.model, X)
        for values in found.values():
            assert values.dtype.kind != "f" or not np.isnan(values).any()
        if self.is_exact:
            reference = self.fitted(copy.deepcopy(self.estimator))
            assert_same_answers(found, answers(reference, X), 1e-6)

    def teardown(self):
        if not hasattr(self, "model"):
            return
        assert self.model.n_forgotten_ == self.n_forgotten
        assert len(self.model.unlearning_log_) == self.n_requests
        rows = self.model.retained_rows()
        # rows that were given with a request are in the order of the request
        np.testing.assert_array_equal(rows.X, self.X[self.kept])
        if self.y is not None:
            np.testing.assert_array_equal(rows.y, self.y[self.kept])
        if self.with_ids:
            np.testing.assert_array_equal(rows.groups, self.ids[self.kept])
        self.compare()


def run_programs(estimator, factor=1):
    """Run as many programs as the profile of hypothesis says, times a factor."""
    run_state_machine_as_test(
        lambda: Contract(estimator),
        settings=settings(
            max_examples=factor * settings.default.max_examples,
            stateful_step_count=10,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


ids = {"ids": lambda estimator: " ".join(repr(estimator).split())}
pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_unlearn.exceptions.UnlearningWarning"
)


@pytest.mark.parametrize("estimator", [*all_instances(), *RULES], **ids)
def test_contract_in_random_programs(estimator):
    run_programs(estimator)


@pytest.mark.slow
@pytest.mark.parametrize(
    "estimator",
    [
        ExactUnlearner(GaussianNB()),
        ExactUnlearner(KNeighborsClassifier()),
        make_pipeline(StandardScaler(), LogisticRegression()),
        make_pipeline(OneHotEncoder(handle_unknown="ignore"), BernoulliNB()),
        CertifiedLogisticRegression(),
        RemovalForestClassifier(5, random_state=0),
        SISAClassifier(GaussianNB(), n_shards=3),
        DropoutClassifier((8,), mc_samples=5),
    ],
    **ids,
)
def test_contract_in_many_random_programs(estimator):
    run_programs(estimator, factor=20)
