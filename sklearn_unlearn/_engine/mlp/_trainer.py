"""Training of perceptrons with Adam."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import torch

from sklearn_unlearn._engine._threads import threads_for
from sklearn_unlearn._engine.mlp._masks import MaskStream

__all__ = ["Adam", "MLPTrainer", "Rows"]


class Rows:
    """Training rows as tensors.

    Parameters
    ----------
    X : Tensor of shape (n_rows, n_inputs), dtype=float32
    target : Tensor of shape (n_rows, n_targets) or None
    weight : Tensor of shape (n_rows, 1) or None
        Mean one.
    """

    def __init__(self, X, target, weight=None):
        self.X, self.target, self.weight = X, target, weight

    def __len__(self):
        return len(self.X)

    def to(self, device):
        """Return the same rows on a device."""
        target = None if self.target is None else self.target.to(device)
        weight = None if self.weight is None else self.weight.to(device)
        return Rows(self.X.to(device), target, weight)

    def take(self, index):
        """Return X, target and weight of these rows."""
        X, target = self.X.index_select(0, index), self.target.index_select(0, index)
        weight = None if self.weight is None else self.weight.index_select(0, index)
        return X, target, weight


class Adam:
    """Settings of Adam, under scikit-learn's names.

    With ``decoupled > 0`` it is AdamW with that weight decay.
    """

    def __init__(
        self,
        learning_rate_init=1e-3,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        decoupled=0.0,
    ):
        self.decoupled = decoupled
        self.settings = {
            "lr": learning_rate_init,
            "betas": (beta_1, beta_2),
            "eps": epsilon,
        }

    def at(self, learning_rate_init):
        """Return the same with another learning rate."""
        new = Adam(decoupled=self.decoupled)
        new.settings = {**self.settings, "lr": learning_rate_init}
        return new

    def over(self, parameters):
        """Return torch's optimizer, in its fused form."""
        if self.decoupled:
            return torch.optim.AdamW(
                parameters, fused=True, weight_decay=self.decoupled, **self.settings
            )
        return torch.optim.Adam(parameters, fused=True, **self.settings)


class MLPTrainer:
    """Trains one perceptron in place.

    Parameters
    ----------
    mlp : MLP
    rows : Rows
        On the device of the perceptron.
    loss : object
        With ``gradient(outputs, target, weight)``; see `_losses`.
    alpha : float
        Penalty: ``alpha / 2`` times the squared weights, divided by the rows of a
        batch.
    adam : Adam
    rng : numpy.random.Generator
        Of the dropout masks.
    batch_size : int
        At most the rows.
    """

    def __init__(self, mlp, rows, loss, *, alpha, adam, rng, batch_size):
        self.mlp, self.rows, self.loss = mlp, rows, loss
        self.alpha, self._batch_size = alpha, batch_size
        self._masks = MaskStream.of(mlp, rng, (batch_size,), rows.X.device)
        self.optimizer = adam.over([mlp.parameters])
        mlp.parameters.grad = mlp.gradient

    @property
    def n_rows(self):
        """Number of training rows."""
        return len(self.rows)

    @torch.inference_mode()
    def epoch(self, order):
        """Visit the rows once in this order, and return the mean loss."""
        order = torch.from_numpy(order).to(self.rows.X.device)
        batch_size = self._batch_size
        total = torch.zeros((), device=order.device)
        widest = max(a * b for a, b in self.mlp.layout.shapes)
        with threads_for(widest * batch_size):
            for start in range(0, len(order), batch_size):
                index = order[start : start + batch_size]
                X, target, weight = self.rows.take(index)
                total += self.step(X, target, weight)
        n_weights = self.mlp.layout.n_weights
        penalty = self.mlp.parameters[:n_weights].square().sum()
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

    def moments(self):
        """Return the state of Adam as arrays, to continue from."""
        state = self.optimizer.state.get(self.mlp.parameters, {})
        return {name: value.cpu().numpy().copy() for name, value in state.items()}

    def continue_from(self, moments):
        """Take up the state of Adam that `moments` returned."""
        device = self.mlp.parameters.device
        # torch changes them in place, and the caller keeps its arrays
        self.optimizer.state[self.mlp.parameters] = {
            name: torch.tensor(value, device=device) for name, value in moments.items()
        }
