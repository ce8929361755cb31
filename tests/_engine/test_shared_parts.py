"""What networks and their methods share: batches, masks, objectives, mixtures."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import inspect

import numpy as np
import pytest
import torch
from scipy import stats

from sklearn_unlearn._engine._losses import CrossEntropy, SquaredError
from sklearn_unlearn._engine._mixture import fit_precision, log_density, quantile
from sklearn_unlearn._engine._student import Batch, ForgetRetainBatches
from sklearn_unlearn._engine._training import TensorRows
from sklearn_unlearn._engine._weight_mask import WeightMask
from sklearn_unlearn._engine.module._functional import WITH_GENERATOR
from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.unlearning import NPO, SalUn
from tests.unlearning._networks import SMALL, digits, unlearned


@pytest.fixture(scope="module")
def fitted():
    X, y = digits()
    return X, y, DropoutClassifier((64,), **SMALL).fit(X, y)


@pytest.mark.parametrize(
    ("n_retain", "n_forget", "batch_size"), [(100, 10, 16), (100, 3, 16), (20, 50, 64)]
)
def test_forget_retain_batches(n_retain, n_forget, batch_size):
    rng = np.random.default_rng(0)
    batches = ForgetRetainBatches(n_retain, n_forget, batch_size, rng)
    seen = np.zeros(n_forget, dtype=int)
    for _ in range(3):
        retained, forgotten = zip(*batches.epoch(), strict=True)
        assert sorted(np.concatenate(retained)) == list(range(n_retain))
        assert all(len(part) == batches.n_forget_per_batch > 0 for part in forgotten)
        seen += np.bincount(np.concatenate(forgotten), minlength=n_forget)
        assert np.ptp(seen) <= 1  # all of them, equally often
    without = ForgetRetainBatches(9, 0, 4, rng)
    assert all(len(part) == 0 for _, part in without.epoch())


def test_mask_ranks_all_tensors_together():
    scores = [torch.tensor([[1.0, 9.0], [8.0, 2.0]]), torch.tensor([7.0, 0.0])]
    mask = WeightMask.from_scores(scores, 0.5)
    assert mask.selected[0].tolist() == [[False, True], [True, False]]
    assert mask.selected[1].tolist() == [True, False]
    # of equal scores no more than the share may move
    mask = WeightMask.from_scores([torch.zeros(10)], 0.3)
    assert int(mask.selected[0].sum()) == 3


def test_salient_weights_forget_more_than_random_ones(fitted):
    class Random(SalUn):
        def _saliency(self, student):
            scores = [
                torch.from_numpy(student.rng.random(tuple(p.shape)))
                for p in student.parameters
            ]
            return WeightMask.from_scores(scores, self.keep)

    X, y, model = fitted
    forget = y == 3
    accuracy, settings = {}, {"keep": 0.1, "learning_rate_init": 0.002}
    for method in (SalUn, Random):
        scores = [
            unlearned(method, model, X, y, forget, random_state=seed, **settings).score(
                X[forget], y[forget]
            )
            for seed in range(3)
        ]
        accuracy[method] = np.mean(scores)
    assert accuracy[SalUn] < accuracy[Random] - 0.15


def test_saliency_does_not_depend_on_batches_or_on_the_sign(fitted):
    seen = []

    class Watched(SalUn):
        def _unlearn_network(self, student):
            gradient = student.gradient(student.forget)
            flipped = [(-part).abs() for part in gradient]
            seen.append(self._saliency(student).selected[0])
            seen.append(WeightMask.from_scores(flipped, self.keep).selected[0])

    X, y, model = fitted
    for batch_size in (7, 64, 1000):
        unlearned(Watched, model, X, y, y == 3, keep=0.1, batch_size=batch_size)
    differing = [int((mask != seen[0]).sum()) for mask in seen]
    assert max(differing) <= 4  # ties at the last place, broken by rounding


def npo_objective(loss, outputs, target, beta, reference_outputs, nat=1.0):
    """The objective that NPO trains with, as a function of forgotten outputs."""
    rows = TensorRows(None, target)
    everything = torch.arange(len(target))

    class Recorder:
        forget, retain, ratio = "forget", "retain", 0.25

        def losses(self, rows_):
            assert rows_ == "forget"
            return loss.rows(reference_outputs, target)

        def loss_per_nat(self):
            return nat

        def train(self, objective):
            self.objective = objective

    student = Recorder()
    NPO(None, beta=beta)._unlearn_network(student)
    retain = Batch(everything, torch.zeros_like(outputs), rows, loss)
    forget = Batch(everything, outputs, rows, loss)
    return student.objective(retain, forget) - retain.mean(retain.losses)


def test_a_nat_of_squared_errors_is_the_variance_of_the_noise():
    generator = torch.Generator().manual_seed(0)
    target = torch.randn(4000, 2, generator=generator, dtype=torch.float64)
    outputs = target + 0.3 * torch.randn(target.shape, generator=generator).double()
    loss = SquaredError()
    nat = loss.loss_per_nat(loss.rows(outputs, target), target)
    assert nat == pytest.approx(float((outputs - target).square().mean()))


def npo_problem(kind, seed=0):
    generator = torch.Generator().manual_seed(seed)
    outputs = torch.randn(12, 4, generator=generator, dtype=torch.float64)
    reference = torch.randn(12, 4, generator=generator, dtype=torch.float64)
    if kind is CrossEntropy:
        target = torch.randint(0, 4, (12, 1), generator=generator)
    else:
        target = torch.randn(12, 4, generator=generator, dtype=torch.float64)
    return kind(), outputs.requires_grad_(), target, reference


@pytest.mark.parametrize("kind", [CrossEntropy, SquaredError])
@pytest.mark.parametrize("beta", [0.1, 1.0, 4.0])
def test_npo_gradient_is_weighted_ascent(kind, beta):
    loss, outputs, target, reference = npo_problem(kind)
    nat = 1.0 if kind is CrossEntropy else 0.3
    value = npo_objective(loss, outputs, target, beta, reference, nat)
    (gradient,) = torch.autograd.grad(value, outputs)
    losses = loss.rows(outputs, target)
    before = loss.rows(reference, target)
    # W = 2 p^beta / (p^beta + p_ref^beta), by likelihoods
    p, p_ref = torch.exp(-losses / nat), torch.exp(-before / nat)
    W = (2 * p**beta / (p**beta + p_ref**beta)).detach()
    (ascent,) = torch.autograd.grad(-(W * losses).mean() * 0.25, outputs)
    assert torch.allclose(gradient, ascent, rtol=1e-9, atol=1e-12)
    # where the student still is its teacher, it is gradient ascent
    value = npo_objective(loss, outputs, target, beta, outputs.detach(), nat)
    (first,) = torch.autograd.grad(value, outputs)
    (ascent,) = torch.autograd.grad(-loss.rows(outputs, target).mean() * 0.25, outputs)
    assert torch.allclose(first, ascent, rtol=1e-9, atol=1e-12)


def test_npo_saturates():
    loss = CrossEntropy()
    target, reference = torch.zeros(1, 1, dtype=torch.int64), torch.zeros(1, 2)
    far = torch.tensor([[-300.0, 300.0]])
    assert float(npo_objective(loss, far, target, 1.0, reference)) == pytest.approx(0)
    assert float(loss.rows(far, target)) > 500


def test_mixture():
    rng = np.random.default_rng(0)
    functions = rng.normal(size=(30, 6))
    density = stats.norm(functions, 0.5).pdf(0.3).mean(axis=0)
    assert np.allclose(log_density(0.3, functions, 4.0), np.log(density))
    level = quantile(0.2, functions, 4.0)
    assert np.allclose(stats.norm(functions, 0.5).cdf(level).mean(axis=0), 0.2)
    residual = rng.normal(0, 0.1, 4000)
    assert fit_precision(residual, np.zeros((1, 4000))) == pytest.approx(
        1 / residual.var(), rel=0.01
    )
    assert fit_precision(np.zeros(9), np.zeros((1, 9))) < 2e12


def test_functions_with_a_generator_have_the_arguments_of_those_of_torch():
    written_in_python = [f for f in WITH_GENERATOR if inspect.isfunction(f)]
    assert len(written_in_python) >= 8
    for theirs in written_in_python:
        ours = inspect.signature(WITH_GENERATOR[theirs]).parameters.values()
        first, *ours = ((p.name, p.default) for p in ours)
        assert first[0] == "generator"
        found = inspect.signature(theirs).parameters.values()
        expected = [(p.name, p.default) for p in found]
        # the first one is the input, by whatever name
        assert ours[1:] == [e for e in expected[1:] if e[0] != "_stacklevel"], theirs
