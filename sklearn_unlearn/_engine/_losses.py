"""Losses as functions of the outputs, with their gradients by the outputs.

Each also says what else differs between kinds of targets when a network unlearns.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import torch
from torch.nn.functional import softplus

__all__ = ["LOSSES", "BinaryCrossEntropy", "CrossEntropy", "Poisson", "SquaredError"]


class CrossEntropy:
    """Negative log-likelihood of classes given by their numbers.

    The target has shape (..., n_rows, 1) and dtype int64.
    """

    def rows(self, outputs, target):
        """Return the loss of each row, shape (..., n_rows, 1); differentiable."""
        return -torch.log_softmax(outputs, -1).gather(-1, target)

    def gradient(self, outputs, target, weight=None):
        """Return the sum of the losses and its gradient by the outputs.

        Parameters
        ----------
        outputs : Tensor of shape (..., n_rows, n_outputs)
        target : Tensor of shape (..., n_rows, 1)
        weight : Tensor of shape (..., n_rows, 1), default=None

        Returns
        -------
        loss : Tensor of shape () or (n_models,)
        d : Tensor of the shape of `outputs`
        """
        log_p = torch.log_softmax(outputs, -1)
        losses = log_p.gather(-1, target).neg_()
        d = log_p.exp_()
        d.scatter_add_(-1, target, torch.full_like(losses, -1.0))
        return _weighted(losses, d, weight)

    def divergence(self, outputs, teacher):
        """Return KL(teacher || outputs) of each row, shape (..., n_rows, 1)."""
        log_p, log_q = torch.log_softmax(teacher, -1), torch.log_softmax(outputs, -1)
        return (log_p.exp() * (log_p - log_q)).sum(-1, keepdim=True)

    def uninformed(self, target):
        """Return a function that draws targets which say nothing about a row.

        They are uniform over the classes in `target`; the function takes a number of
        rows and a generator.
        """
        classes = target.unique()

        def draw(n_rows, rng):
            drawn = torch.from_numpy(rng.integers(len(classes), size=(n_rows, 1)))
            return classes[drawn.to(target.device)]

        return draw

    def tolerance_unit(self, target):
        """Return the unit of `max_retain_increase`: one nat."""
        return 1.0

    def loss_per_nat(self, losses, target):
        """Return 1: the loss is in nats."""
        return 1.0


class BinaryCrossEntropy(CrossEntropy):
    """Negative log-likelihood of labels that a row has or lacks, summed over them.

    The target is 0 or 1, in the shape of the outputs, which are log-odds.
    """

    def rows(self, outputs, target):
        losses = softplus(outputs) - target * outputs
        return losses.sum(-1, keepdim=True)

    def gradient(self, outputs, target, weight=None):
        losses = self.rows(outputs, target)
        return _weighted(losses, torch.sigmoid(outputs) - target, weight)

    def divergence(self, outputs, teacher):
        p = torch.sigmoid(teacher)
        return self.rows(outputs, p) - self.rows(teacher, p)

    def uninformed(self, target):
        """Return a function that draws targets which say nothing about a row.

        Each label is drawn as often as it is in `target`; see
        `CrossEntropy.uninformed`.
        """
        share = target.mean(0)

        def draw(n_rows, rng):
            drawn = torch.from_numpy(rng.random((n_rows, target.shape[-1])))
            return (drawn.to(target) < share).to(target)

        return draw


class SquaredError:
    """Half the squared error, summed over the outputs."""

    def rows(self, outputs, target):
        """Return the loss of each row, shape (..., n_rows, 1); differentiable."""
        return (outputs - target).square().sum(-1, keepdim=True) / 2

    def gradient(self, outputs, target, weight=None):
        """Return the sum of the losses and its gradient by the outputs.

        Parameters and returned tensors are those of `CrossEntropy.gradient`.
        """
        d = outputs - target
        losses = d.square().sum(-1, keepdim=True).mul_(0.5)
        return _weighted(losses, d, weight)

    def divergence(self, outputs, teacher):
        """Return the loss of each row if the outputs of a teacher were its target."""
        return self.rows(outputs, teacher)

    def uninformed(self, target):
        """Return a function that draws targets which say nothing about a row.

        They are normal with the moments of `target`; see `CrossEntropy.uninformed`.
        """
        mean, spread = target.mean(0), target.std(0, correction=0)

        def draw(n_rows, rng):
            drawn = torch.from_numpy(rng.normal(size=(n_rows, target.shape[-1])))
            return mean + drawn.to(target) * spread

        return draw

    def tolerance_unit(self, target):
        """Return the unit of `max_retain_increase`: the variance of the target.

        It is summed over the outputs, as the loss is.
        """
        return float(target.var(0, correction=0).sum())

    def loss_per_nat(self, losses, target):
        """Return the loss that is one nat of likelihood.

        It is the variance of the Gaussian noise under which these losses are most
        likely.
        """
        variance = 2 * float(losses.mean()) / target.shape[-1]
        # a network that fits its rows without error leaves something to divide by
        return max(
            variance, 1e-6 * self.tolerance_unit(target), torch.finfo(losses.dtype).tiny
        )


class Poisson(SquaredError):
    """Half the Poisson deviance of the exponentials of the outputs, summed over them.

    The target is in units of its mean, of any size; so is the loss.
    """

    def rows(self, outputs, target):
        saturated = torch.xlogy(target, target) - target
        losses = outputs.exp() - target * outputs + saturated
        return losses.sum(-1, keepdim=True)

    def gradient(self, outputs, target, weight=None):
        losses = self.rows(outputs, target)
        return _weighted(losses, outputs.exp() - target, weight)

    def divergence(self, outputs, teacher):
        """Return the loss of each row if the means of a teacher were its target."""
        return self.rows(outputs, teacher.exp())

    def uninformed(self, target):
        """Return a function that draws targets which say nothing about a row.

        They have gamma distributions with the moments of `target`; see
        `CrossEntropy.uninformed`.
        """
        mean, variance = target.mean(0), target.var(0, correction=0)
        # where the target is constant it is drawn as it is, but for rounding
        scale = torch.where(variance > 0, variance / mean, mean * 1e-12).cpu().numpy()
        shape = mean.cpu().numpy() / np.where(scale > 0, scale, 1.0)

        def draw(n_rows, rng):
            drawn = rng.gamma(shape, scale, size=(n_rows, target.shape[-1]))
            return torch.from_numpy(drawn).to(target)

        return draw

    def tolerance_unit(self, target):
        """Return the unit of `max_retain_increase`: twice the loss of the mean alone.

        For small variations that is the variance, as for squared errors.
        """
        mean = target.mean(0, keepdim=True).clamp(min=torch.finfo(target.dtype).tiny)
        return 2 * float(self.rows(mean.log().expand_as(target), target).mean())


# By `out_activation_` of the estimator, which makes predictions of outputs.
LOSSES = {
    "softmax": CrossEntropy(),
    "logistic": BinaryCrossEntropy(),
    "identity": SquaredError(),
    "exp": Poisson(),
}


def _weighted(losses, d, weight):
    """Weight losses and gradients of rows, in place, and sum the losses of a model."""
    if weight is not None:
        losses.mul_(weight)
        d.mul_(weight)
    return losses.sum((-2, -1)), d
