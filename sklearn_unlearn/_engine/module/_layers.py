"""Layers of torch that drop units within, made of parts whose noise can be held."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import PackedSequence

from sklearn_unlearn.dropout import AlphaDropout, BernoulliDropout

__all__ = ["with_own_dropout"]

# Layers of torch that are nothing but dropout, those that take their place, and whether
# they drop whole channels.
_LAYERS = {
    nn.Dropout: (BernoulliDropout, False),
    nn.Dropout1d: (BernoulliDropout, True),
    nn.Dropout2d: (BernoulliDropout, True),
    nn.Dropout3d: (BernoulliDropout, True),
    nn.AlphaDropout: (AlphaDropout, False),
    nn.FeatureAlphaDropout: (AlphaDropout, True),
}


def with_own_dropout(layer):
    """Return a layer with dropout of ours in place of its own; itself without any.

    Raises
    ------
    ValueError
        If it is a subclass, made by the user, of a layer that drops units within.
    """
    if type(layer) in _LAYERS:
        own, per_channel = _LAYERS[type(layer)]
        return own(layer.p, per_channel=per_channel)
    if not isinstance(layer, (nn.RNNBase, nn.MultiheadAttention)) or not layer.dropout:
        return layer
    if type(layer) is nn.MultiheadAttention:
        return AttentionWithDropout(layer)
    if type(layer) in (nn.RNN, nn.LSTM, nn.GRU):
        return RecurrentWithDropout(layer)
    raise ValueError(
        f"{type(layer).__name__} has dropout whose masks cannot be controlled, since "
        "it is not torch's own layer. Set its dropout to 0, and use layers of "
        "sklearn_unlearn.dropout in the module instead."
    )


class AttentionWithDropout(nn.MultiheadAttention):
    """Attention whose weights are dropped by a layer of ours.

    Parameters
    ----------
    layer : torch.nn.MultiheadAttention
        Its parts are taken over.
    """

    def __init__(self, layer):
        nn.Module.__init__(self)
        vars(self).update(vars(layer))
        self._modules = dict(layer._modules)
        self.weights_dropout, self.dropout = BernoulliDropout(layer.dropout), 0.0

    def forward(
        self,
        query,
        key,
        value,
        key_padding_mask=None,
        need_weights=True,
        attn_mask=None,
        average_attn_weights=True,
        is_causal=False,
    ):
        """Attend, as `torch.nn.MultiheadAttention`; weights are returned as dropped."""
        arguments = {
            "key_padding_mask": key_padding_mask,
            "attn_mask": attn_mask,
            "is_causal": is_causal,
        }
        if not self.weights_dropout.is_active:
            return super().forward(
                query,
                key,
                value,
                need_weights=need_weights,
                average_attn_weights=average_attn_weights,
                **arguments,
            )
        _, weights = super().forward(
            query, key, value, average_attn_weights=False, **arguments
        )
        rows_first = self.batch_first or value.ndim == 2
        value = self._values(value if rows_first else value.transpose(0, 1))
        weights = self.weights_dropout(weights)
        # (..., n_heads, n_queries, n_units) -> (..., n_queries, n_heads * n_units)
        attended = (weights @ value).transpose(-3, -2).flatten(-2)
        outputs = self.out_proj(attended)
        outputs = outputs if rows_first else outputs.transpose(0, 1)
        if not need_weights:
            return outputs, None
        return outputs, weights.mean(-3) if average_attn_weights else weights

    def _values(self, value):
        """Return what is attended to, shape (..., n_heads, n_keys, n_units)."""
        size = self.embed_dim
        if self._qkv_same_embed_dim:
            W = self.in_proj_weight[2 * size :]
        else:
            W = self.v_proj_weight
        b = None if self.in_proj_bias is None else self.in_proj_bias[2 * size :]
        value = F.linear(value, W, b)
        one = (*value.shape[:-2], 1, size)
        if self.bias_v is not None:
            value = torch.cat([value, self.bias_v.expand(one)], dim=-2)
        if self.add_zero_attn:
            value = torch.cat([value, value.new_zeros(one)], dim=-2)
        return value.unflatten(-1, (self.num_heads, -1)).transpose(-3, -2)


class RecurrentWithDropout(nn.Module):
    """Recurrent layers, one after the other, with layers of dropout of ours between.

    Parameters
    ----------
    layer : torch.nn.RNN, torch.nn.LSTM or torch.nn.GRU
        Of several layers; its weights are taken over.
    """

    # what modules ask of their recurrent layers
    _SETTINGS = (
        "mode",
        "input_size",
        "hidden_size",
        "num_layers",
        "bias",
        "batch_first",
        "dropout",
        "bidirectional",
        "proj_size",
    )

    def __init__(self, layer):
        super().__init__()
        for name in self._SETTINGS:
            setattr(self, name, getattr(layer, name))
        self.layers = nn.ModuleList(
            _single_layer(layer, number) for number in range(layer.num_layers)
        )
        self.drops = nn.ModuleList(
            BernoulliDropout(layer.dropout) for _ in range(layer.num_layers - 1)
        )

    def forward(self, x, hx=None):
        """Run all layers, as the layers of torch do."""
        states = []
        for number, layer in enumerate(self.layers):
            if number:
                x = self._dropped(x, self.drops[number - 1])
            x, state = layer(x, self._of_layer(hx, number))
            states.append(state)
        if self.mode == "LSTM":
            return x, tuple(torch.cat(part) for part in zip(*states, strict=True))
        return x, torch.cat(states)

    def _of_layer(self, hx, number):
        """Return the initial state of one layer, of that of all."""
        if hx is None:
            return None
        n = 2 if self.bidirectional else 1
        own = slice(n * number, n * (number + 1))
        return tuple(part[own] for part in hx) if self.mode == "LSTM" else hx[own]

    @staticmethod
    def _dropped(x, drop):
        if isinstance(x, PackedSequence):
            return x._replace(data=drop(x.data))
        return drop(x)


def _single_layer(layer, number):
    """Return one of several recurrent layers, with the same weights."""
    directions = 2 if layer.bidirectional else 1
    inputs = layer.input_size
    if number:
        inputs = directions * (layer.proj_size or layer.hidden_size)
    settings = {"bias": layer.bias, "batch_first": layer.batch_first}
    settings["bidirectional"] = layer.bidirectional
    if layer.mode == "LSTM":
        settings["proj_size"] = layer.proj_size
    elif layer.mode.startswith("RNN"):
        settings["nonlinearity"] = layer.nonlinearity
    with torch.device("meta"):  # no numbers are drawn
        new = type(layer)(inputs, layer.hidden_size, **settings)
    for name, _ in list(new.named_parameters()):
        setattr(new, name, getattr(layer, name.replace("_l0", f"_l{number}")))
    return new
