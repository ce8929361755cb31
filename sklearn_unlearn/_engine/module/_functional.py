"""Random functions of torch that take no generator, with one.

Each has the signature of torch's own, after the generator.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import math
from functools import partial

import torch
from torch.nn import functional as F

from sklearn_unlearn.dropout import AlphaDropout

__all__ = ["DROPPING", "WITH_GENERATOR"]


def _dropout(generator, x, p=0.5, training=True, inplace=False):
    return _drop(generator, x, x.shape, p) if training and p else x


def _dropout_channels(n_axes, generator, x, p=0.5, training=True, inplace=False):
    """Drop channels; `n_axes` are those of an input without an axis of rows."""
    if not (training and p):
        return x
    return _drop(generator, x, _of_channels(x, n_axes), p)


def _drop(generator, x, shape, p):
    keep = x.new_full(shape, 1 - p)
    return x * torch.bernoulli(keep, generator=generator) / (1 - p)


def _of_channels(x, n_axes):
    """Return the shape of one number for all of each (row and) channel."""
    n_leading = 1 if x.ndim == n_axes else 2
    return (*x.shape[:n_leading], *[1] * (x.ndim - n_leading))


def _alpha_dropout(generator, x, p=0.5, training=False, inplace=False):
    return _alpha(generator, x, x.shape, p) if training and p else x


def _feature_alpha_dropout(generator, x, p=0.5, training=False, inplace=False):
    return _alpha(generator, x, _of_channels(x, 0), p) if training and p else x


def _alpha(generator, x, shape, p):
    noise = torch.bernoulli(x.new_full(shape, 1 - p), generator=generator)
    return AlphaDropout(p).with_noise(x, noise)


def _attention(
    generator,
    query,
    key,
    value,
    attn_mask=None,
    dropout_p=0.0,
    is_causal=False,
    scale=None,
    enable_gqa=False,
):
    """Attend, with some of the weights of attention dropped."""
    n_queries, n_keys = query.shape[-2], key.shape[-2]
    if enable_gqa:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
        value = value.repeat_interleave(query.shape[-3] // value.shape[-3], -3)
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    logits = query @ key.transpose(-2, -1) * scale
    if is_causal:
        attn_mask = logits.new_ones(n_queries, n_keys, dtype=torch.bool).tril()
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        logits = logits.masked_fill(~attn_mask, -math.inf)
    elif attn_mask is not None:
        logits = logits + attn_mask
    return _dropout(generator, logits.softmax(-1), dropout_p) @ value


def _rrelu(generator, x, lower=1 / 8, upper=1 / 3, training=False, inplace=False):
    if not training:
        return F.leaky_relu(x, (lower + upper) / 2)
    slope = torch.empty_like(x).uniform_(lower, upper, generator=generator)
    return torch.where(x >= 0, x, slope * x)


def _gumbel_softmax(generator, logits, tau=1, hard=False, eps=1e-10, dim=-1):
    noise = torch.empty_like(logits).exponential_(generator=generator).log()
    soft = ((logits - noise) / tau).softmax(dim)
    if not hard:
        return soft
    largest = torch.zeros_like(soft).scatter_(dim, soft.argmax(dim, keepdim=True), 1.0)
    return largest - soft.detach() + soft


def _rand_like(draw, generator, like, *, dtype=None, **kwargs):
    drawn = draw(like.shape, generator=generator, device=generator.device)
    return drawn.to(like.device, dtype or like.dtype)


def _of_torch(function):
    """Return a function with the names of arguments that those in `torch` have."""

    def call(generator, input, p, train):
        return function(generator, input, p, train)

    return call


# Those that drop units if their arguments say so.
DROPPING = {
    F.alpha_dropout: _alpha_dropout,
    F.dropout: _dropout,
    F.dropout1d: partial(_dropout_channels, 2),
    # it takes no input without an axis of rows
    F.dropout2d: partial(_dropout_channels, 0),
    F.dropout3d: partial(_dropout_channels, 4),
    F.feature_alpha_dropout: _feature_alpha_dropout,
    F.scaled_dot_product_attention: _attention,
    torch.alpha_dropout: _of_torch(_alpha_dropout),
    torch.dropout: _of_torch(_dropout),
    torch.feature_alpha_dropout: _of_torch(_feature_alpha_dropout),
    torch.feature_dropout: _of_torch(partial(_dropout_channels, 0)),
}
WITH_GENERATOR = {
    **DROPPING,
    F.gumbel_softmax: _gumbel_softmax,
    F.rrelu: _rrelu,
    torch.rand_like: partial(_rand_like, torch.rand),
    torch.randn_like: partial(_rand_like, torch.randn),
}
