"""Losses as functions of the outputs, with their gradients by the outputs."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import torch

__all__ = ["CrossEntropy", "Objective", "SquaredError"]


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


class Objective:
    """Any function of the outputs; its gradient is taken by autograd on them alone.

    Parameters
    ----------
    function : callable (outputs, target) -> Tensor of shape ()
        Written as in the paper: a sum over the rows.
    """

    def __init__(self, function):
        self.function = function

    def gradient(self, outputs, target, weight=None):
        """Return the loss and its gradient by the outputs; weights are refused."""
        if weight is not None:
            raise ValueError("an objective weighs the rows itself")
        # the pass of the perceptron is in inference mode, which autograd refuses
        with torch.inference_mode(False), torch.enable_grad():
            outputs = outputs.clone().requires_grad_()
            loss = self.function(outputs, target)
            (d,) = torch.autograd.grad(loss, outputs)
        return loss.detach(), d


def _weighted(losses, d, weight):
    if weight is not None:
        losses.mul_(weight)
        d.mul_(weight)
    return losses.sum((-2, -1)), d
