"""Rows from gradients; needs torch, and is imported when it is first used."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
import torch
from sklearn.utils import check_random_state
from torch import nn
from torch.nn import functional as F

from sklearn_unlearn.dropout import BernoulliDropout, StochasticLayer
from sklearn_unlearn.utils._sklearn_compat import (
    Interval,
    StrOptions,
    validate_params,
)

LOSSES = {"cross_entropy": F.cross_entropy, "squared_error": F.mse_loss}
DROPOUTS = (nn.Dropout, BernoulliDropout)
# weight of the share of dropped units, which should be that of the layer
MASK_WEIGHT = 1e-4
# of a gradient below which a unit does not tell of its input
LEAST = 1e-12


class InversionResult(NamedTuple):
    """What the inversion of a gradient has found.

    A tuple with names, of which the rows are the first.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        The rows that were found; after a layer of dropout on the input, its features
        that were not dropped, scaled.
    distance : float
        One minus the cosine between their gradient and the observed one; 0 if it is
        explained.
    method : {"closed form", "optimisation"}
        How the rows were found.
    masks : list of ndarray of shape (n_rows, n_units)
        For each layer of dropout, 1 for units that were kept; empty if masks were not
        looked for. Units that give the next layer nothing have any value.

    See Also
    --------
    gradient_inversion_audit : Makes one.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.audit.attacks import InversionResult
    >>> InversionResult(np.zeros((1, 2)), 0.0, "closed form", []).method
    'closed form'
    """

    X: np.ndarray
    distance: float
    method: str
    masks: list


@validate_params(
    {
        "module": [nn.Module],
        "gradients": [list, tuple],
        "loss": [StrOptions(set(LOSSES))],
        "optimize_masks": ["boolean"],
        "n_iter": [Interval(Integral, 1, None, closed="left")],
        "n_restarts": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def gradient_inversion_audit(
    module,
    gradients,
    y,
    *,
    loss="cross_entropy",
    optimize_masks=True,
    n_iter=2000,
    n_restarts=3,
    learning_rate=0.1,
    random_state=None,
):
    """Find the rows that a gradient of a network was computed from.

    Of a single row, the gradient of a first layer that is linear and has a bias is a
    multiple of the row, and the bias tells which: this closed form is tried first.
    Otherwise rows are looked for whose gradient points where the observed one does, and
    masks of dropout with them [1]_.

    Parameters
    ----------
    module : torch.nn.Module
        The network, with the parameters that the gradient was taken at. It is left
        alone.
    gradients : list of array-like
        The observed gradient: one array for each of ``module.parameters()``.
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Targets of the rows: numbers of classes, or numbers.
    loss : {"cross_entropy", "squared_error"}, default="cross_entropy"
        Loss, of which the gradient is that of the mean over rows.
    optimize_masks : bool, default=True
        Whether units dropped by ``torch.nn.Dropout`` and ``BernoulliDropout`` are
        looked for. False takes the gradient for one without dropout.
    n_iter : int, default=2000
        Steps of the search.
    n_restarts : int, default=3
        How often it starts anew; the best result counts.
    learning_rate : float, default=0.1
        Of Adam, which sees the signs of the gradients alone.
    random_state : int, RandomState instance or None, default=None
        Source of the starting points.

    Returns
    -------
    InversionResult
        Rows, the distance of their gradient, and masks.

    See Also
    --------
    reconstruction_score : How well rows were found.
    update_leakage_error : What a request tells without any gradient.

    Notes
    -----
    For gradients and updates that leave the process: a step of gradient ascent on the
    forgotten rows, stored updates of batches, federated learning. Dropout does not
    protect them.

    *What a perfect unlearner gets* is no matter here: an exact one that publishes the
    gradient of a row publishes the row.

    References
    ----------
    .. [1] D. Scheliga, P. Maeder and M. Seeland, "Dropout Is NOT All You Need to
       Prevent Gradient Leakage", AAAI, 2023.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from sklearn_unlearn.audit.attacks import gradient_inversion_audit
    >>> module = nn.Linear(3, 2)
    >>> x, y = torch.tensor([[1.0, -2.0, 0.5]]), torch.tensor([1])
    >>> nn.functional.cross_entropy(module(x), y).backward()
    >>> gradients = [parameter.grad for parameter in module.parameters()]
    >>> gradient_inversion_audit(module, gradients, [1]).X.round(4).tolist()
    [[1.0, -2.0, 0.5]]
    """
    rng = check_random_state(random_state)
    network = copy.deepcopy(module).double().train()
    n_rows = len(y)
    observed = _check_gradients(network, gradients)
    target = torch.as_tensor(np.asarray(y))
    target = target.long() if loss == "cross_entropy" else target.double()
    first = _first_linear(network)
    masked = _replace_dropout(network, optimize_masks)
    X = _closed_form(network, first, observed) if n_rows == 1 else None
    search = _Search(network, observed, target, LOSSES[loss], masked, X)
    if X is not None and not masked:
        return InversionResult(X.numpy(), search.distance(X), "closed form", [])
    found = [
        search.run((n_rows, first.in_features), n_iter, learning_rate, rng)
        for _ in range(n_restarts)
    ]
    distance, rows, masks = min(found, key=lambda one: one[0])
    method = "optimisation" if X is None else "closed form"
    return InversionResult(rows, distance, method, masks)


class _Search:
    """The search for rows and masks whose gradient points where the observed one does.

    Parameters
    ----------
    network : nn.Module
    observed : Tensor
        All gradients in one.
    target : Tensor
    loss : callable
    masked : list of _Mask
        Layers of dropout whose masks are looked for.
    X : Tensor or None
        Rows, where they are known already.
    """

    def __init__(self, network, observed, target, loss, masked, X):
        self.network, self.observed, self.target = network, observed, target
        self.loss, self.masked, self.X = loss, masked, X
        self.parameters = list(network.parameters())

    def _distance(self, X):
        with torch.enable_grad():
            outputs = self.network(X)
            target = self.target
            if target.is_floating_point():
                target = target.reshape(outputs.shape)
            loss = self.loss(outputs, target)
            found = torch.autograd.grad(
                loss, self.parameters, create_graph=True, materialize_grads=True
            )
        found = torch.cat([gradient.reshape(-1) for gradient in found])
        return 1 - F.cosine_similarity(found, self.observed, dim=0, eps=1e-30)

    def distance(self, X):
        """Return one minus the cosine of the gradients."""
        return float(self._distance(X).detach())

    def run(self, shape, n_iter, learning_rate, rng):
        """Search once; return distance, rows and masks of the best step."""
        X = self.X
        if X is None:
            X = torch.from_numpy(rng.standard_normal(shape)).requires_grad_()
        for layer in self.masked:
            layer.mask = None
        self.network(X)  # which tells the layers how many units they have
        for layer in self.masked:
            kept = rng.random_sample(layer.shape) >= layer.p
            layer.mask = torch.from_numpy(kept.astype(np.float64)).requires_grad_()
        wanted = [layer.mask for layer in self.masked]
        wanted += [X] if self.X is None else []
        optimizer = torch.optim.Adam(wanted, lr=learning_rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_iter)
        best = (np.inf, None, None)
        for _ in range(n_iter):
            distance = self._distance(X)
            if (now := float(distance.detach())) < best[0]:
                best = (now, _numbers(X), self._masks())
            shares = [(1 - m.mask.mean() - m.p).abs() for m in self.masked]
            objective = distance + MASK_WEIGHT * sum(shares)
            slopes = torch.autograd.grad(objective, wanted, materialize_grads=True)
            for value, slope in zip(wanted, slopes, strict=True):
                value.grad = slope.sign()
            optimizer.step()
            schedule.step()
            with torch.no_grad():
                for layer in self.masked:
                    layer.mask.clamp_(0, 1)
        return best

    def _masks(self):
        return [_numbers(layer.mask) for layer in self.masked]


def _numbers(tensor):
    return tensor.detach().numpy().copy()


class _Mask(nn.Module):
    """Dropout whose mask is given; without one it notes its shape."""

    def __init__(self, p):
        super().__init__()
        self.p, self.mask, self.shape = p, None, None

    def forward(self, x):
        """Drop what the mask is 0 for."""
        self.shape = x.shape
        return x if self.mask is None else x * self.mask / (1 - self.p)


def _replace_dropout(network, optimize_masks):
    """Replace layers of dropout by those with masks, and return these."""
    masked = []
    for layer in network.modules():
        if isinstance(layer, (*DROPOUTS, StochasticLayer)):
            layer.eval()
        for name, child in layer.named_children():
            if optimize_masks and isinstance(child, DROPOUTS) and child.p > 0:
                masked.append(_Mask(child.p))
                setattr(layer, name, masked[-1])
    return masked


def _check_gradients(network, gradients):
    """Return all gradients in one tensor of double precision."""
    parameters = list(network.parameters())
    arrays = [torch.as_tensor(np.asarray(g)).double() for g in gradients]
    wanted = [tuple(p.shape) for p in parameters]
    found = [tuple(a.shape) for a in arrays]
    if wanted != found:
        raise ValueError(
            "gradients must have one array for each of module.parameters(), of its "
            f"shape: {wanted}; got {found}."
        )
    return torch.cat([array.reshape(-1) for array in arrays])


def _first_linear(network):
    """Return the first linear layer, which tells how many features a row has."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            return layer
        if any(True for _ in layer.parameters(recurse=False)):
            break
    raise ValueError(
        "module must begin with a torch.nn.Linear layer, since rows are tables; other "
        "layers with parameters may follow."
    )


def _closed_form(network, first, observed):
    """Return the only row of the batch, or None if there is no closed form."""
    if first.bias is None:
        return None
    names = [id(parameter) for parameter in network.parameters()]
    sizes = [parameter.numel() for parameter in network.parameters()]
    parts = dict(zip(names, observed.split(sizes), strict=True))
    weight = parts[id(first.weight)].reshape(first.weight.shape)
    bias = parts[id(first.bias)]
    norm = bias @ bias
    if float(norm) < LEAST**2:
        return None
    return (bias @ weight / norm)[None]
