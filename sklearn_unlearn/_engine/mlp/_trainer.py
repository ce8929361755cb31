"""Training of a perceptron: to learn its rows, and to forget some of them."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import torch

from sklearn_unlearn._engine._threads import threads_for
from sklearn_unlearn._engine._trainable import CHUNK_ROWS, Trainable
from sklearn_unlearn._engine.mlp._masks import MaskStream
from sklearn_unlearn._engine.mlp._mlp import MLP, Layout

__all__ = ["MLPTrainer", "TrainablePerceptron"]


class MLPTrainer:
    """Trains one perceptron with dropout.

    Parameters
    ----------
    network : Perceptron
        Initial weights. On a CPU they are changed in place.
    rows : TensorRows
        Network and masks go to their device.
    loss : object
        With ``gradient(outputs, target, weight)``; see `_losses`.
    alpha : float
        Penalty: ``alpha / 2`` times the squared weights, divided by the rows of a
        batch.
    solver : Solver
    rng : numpy.random.Generator
        Of the dropout masks.
    batch_size : int
        At most the rows.
    """

    def __init__(self, network, rows, loss, *, alpha, solver, rng, batch_size):
        self._network, self.rows, self.loss = network, rows, loss
        self.alpha, self._batch_size = alpha, batch_size
        flat = torch.from_numpy(network.parameters).to(rows.X.device)
        self.mlp = MLP(Layout(network.sizes), network.activation, network.dropout, flat)
        self._masks = MaskStream.of(self.mlp, rng, (batch_size,), rows.X.device)
        self.optimizer = solver.optimizer([flat])
        flat.grad = self.mlp.gradient

    @property
    def n_rows(self):
        """Number of training rows."""
        return len(self.rows)

    @property
    def is_noisy(self):
        """Whether two passes over the same rows give different losses."""
        return any(self.mlp.dropout)

    def network(self):
        """Return a copy of the network as it is now."""
        flat = self.mlp.parameters.cpu().numpy()
        return self._network.with_parameters(flat.copy())

    @torch.inference_mode()
    def epoch(self, order):
        """Visit the rows once in this order, and return the mean loss."""
        order = torch.from_numpy(order).to(self.rows.X.device)
        batch_size, layout = self._batch_size, self.mlp.layout
        total = torch.zeros((), device=order.device)
        with threads_for(batch_size * layout.largest_product):
            for start in range(0, len(order), batch_size):
                index = order[start : start + batch_size]
                X, target, weight = self.rows.take(index)
                total += self.step(X, target, weight)
        penalty = self.mlp.parameters[: layout.n_weights].square().sum()
        return (float(total) + self.alpha / 2 * float(penalty)) / len(order)

    def step(self, X, target, weight=None):
        """Take one step on a batch and return the sum of its losses."""
        mlp, n_rows = self.mlp, len(X)
        outputs = mlp.forward(X, self._masks.next(n_rows))
        loss, d = self.loss.gradient(outputs, target, weight)
        mlp.backward(d.mul_(1 / n_rows))
        if self.alpha:
            n_weights = mlp.layout.n_weights
            mlp.gradient[:n_weights].add_(
                mlp.parameters[:n_weights], alpha=self.alpha / n_rows
            )
        self.optimizer.step()
        return loss

    def snapshot(self):
        """Return a copy of the parameters."""
        return self.mlp.parameters.clone()

    def restore(self, snapshot):
        """Put the parameters back."""
        self.mlp.parameters.copy_(snapshot)


class TrainablePerceptron(Trainable):
    """A copy of a perceptron whose passes are written out, without dropout.

    Only the objective, a function of the outputs, is left to autograd.

    Parameters
    ----------
    network : Perceptron
    device : torch.device
    """

    def __init__(self, network, device):
        self._network = network
        flat = torch.from_numpy(network.parameters.copy()).to(device)
        layout = Layout(network.sizes)
        arguments = (layout, network.activation, network.dropout, flat)
        self._mlp = MLP(*arguments)
        # a forward pass is remembered until its backward pass: this one is for passes
        # in between
        self._without_backward = MLP(*arguments, self._mlp.gradient)
        flat.grad = self._mlp.gradient
        self.parameters, self.largest_product = [flat], layout.largest_product

    @torch.no_grad()
    def outputs(self, X):
        with threads_for(CHUNK_ROWS * self.largest_product):
            chunks = X.split(CHUNK_ROWS)
            return torch.cat([self._without_backward.forward(rows) for rows in chunks])

    def forward(self, X):
        with torch.no_grad():
            self._outputs = self._mlp.forward(X)
        return self._outputs.requires_grad_()

    def backward(self, value, weight_decay=0.0):
        (d,) = torch.autograd.grad(value, self._outputs)
        mlp, n_weights = self._mlp, self._mlp.layout.n_weights
        with torch.no_grad():
            mlp.backward(d)
            if weight_decay:
                mlp.gradient[:n_weights].add_(
                    mlp.parameters[:n_weights], alpha=weight_decay
                )
        return [mlp.gradient]

    def renew_statistics(self, X):
        """Do nothing: a perceptron has no statistics of rows."""

    def network(self):
        flat = self.parameters[0].cpu().numpy()
        return self._network.with_parameters(flat.copy())
