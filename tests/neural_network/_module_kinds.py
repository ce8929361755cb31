"""Kinds of modules that users bring, and what becomes of each.

`KINDS` has, by name, a factory and a fate:

``EDITED``
    unlearners train the fitted module to forget;
``REFITTED``
    training leaves something in the module that cannot be renewed from the retained
    rows, so unlearners fit it again;
a sentence
    a part of the one with which `fit`, or saving, refuses it.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import warnings
from types import SimpleNamespace

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, parametrize, prune
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from sklearn_unlearn.dropout import StochasticLayer

EDITED = "edited"
REFITTED = "fitted again"
LEARNT = REFITTED

KINDS = {}
N_FEATURES = 12


def kind(name, fate=EDITED):
    def register(factory):
        assert name not in KINDS, name
        KINDS[name] = factory, fate
        if factory.__name__ == "_":  # a name of its own, for pickle
            factory.__name__ = factory.__qualname__ = name
            globals()[name] = factory
        return factory

    return register


def chain(*layers):
    return nn.Sequential(*layers)


def perceptron(n_inputs, n_outputs, middle=None, width=8):
    """A small perceptron, with something in its middle."""
    middle = nn.ReLU() if middle is None else middle
    return chain(
        nn.Linear(n_inputs, width), middle, nn.Dropout(0.1), nn.Linear(width, n_outputs)
    )


class Base(nn.Module):
    """A perceptron in which a subclass does something with the rows, or the units."""

    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.first, self.last = nn.Linear(n_features, 8), nn.Linear(8, n_outputs)
        self.drop = nn.Dropout(0.1)
        self.prepare(n_features)

    def prepare(self, n_features):
        pass

    def rows(self, x):
        return x

    def units(self, h):
        return h.relu()

    def forward(self, x):
        return self.last(self.drop(self.units(self.first(self.rows(x)))))


# ------------------------------------------------------------------------ convolutions


def images(n_outputs, *layers, n_units, shape=(1, 3, 4)):
    last = (nn.Flatten(), nn.Linear(n_units, n_outputs))
    return chain(nn.Unflatten(1, shape), *layers, *last)


@kind("one-dimensional convolution")
def _(i, o):
    layers = nn.Conv1d(3, 4, 2), nn.ReLU(), nn.Dropout1d(0.1)
    return images(o, *layers, n_units=12, shape=(3, 4))


@kind("two-dimensional convolution")
def _(i, o):
    return images(o, nn.Conv2d(1, 4, 2), nn.ReLU(), nn.Dropout2d(0.1), n_units=24)


@kind("three-dimensional convolution")
def _(i, o):
    layers = nn.Conv3d(1, 2, (1, 2, 2)), nn.ReLU(), nn.Dropout3d(0.1)
    return images(o, *layers, n_units=8, shape=(1, 2, 2, 3))


@kind("depthwise convolution")
def _(i, o):
    layers = nn.Conv2d(3, 6, (1, 2), groups=3), nn.ReLU(), nn.Dropout(0.1)
    return images(o, *layers, n_units=18, shape=(3, 1, 4))


@kind("transposed convolution")
def _(i, o):
    layers = nn.ConvTranspose2d(1, 2, 2), nn.GELU(), nn.Dropout(0.1)
    return images(o, *layers, n_units=40)


@kind("convolution with channels last")
def _(i, o):
    layer = nn.Conv2d(3, 4, (1, 2)).to(memory_format=torch.channels_last)
    return images(o, layer, nn.Dropout(0.1), n_units=12, shape=(3, 1, 4))


@kind("pooling")
def _(i, o):
    layers = (
        nn.Conv2d(1, 4, 2, padding=1),
        nn.AdaptiveAvgPool2d((2, 2)),
        nn.MaxPool2d(2),
    )
    return images(o, *layers, nn.Dropout(0.1), n_units=4)


@kind("residual block")
class Residual(Base):
    def prepare(self, n_features):
        self.block = chain(nn.LayerNorm(8), nn.Linear(8, 8), nn.ReLU(), nn.Dropout(0.1))

    def units(self, h):
        return h + self.block(h)


# -------------------------------------------------------------------------- recurrence


class Sequence(Base):
    """Four steps of three features."""

    def prepare(self, n_features):
        self.first = nn.Identity()
        self.recurrent = self.layer()

    def rows(self, x):
        return x.unflatten(1, (4, 3))

    def units(self, h):
        return self.recurrent(h)[0][:, -1]


@kind("recurrent layer")
class Recurrent(Sequence):
    def layer(self):
        return nn.RNN(3, 8, batch_first=True)


@kind("recurrent layers with dropout")
class RecurrentLayers(Sequence):
    def layer(self):
        return nn.RNN(3, 8, 2, batch_first=True, dropout=0.1, nonlinearity="relu")


@kind("LSTM with dropout")
class LSTM(Sequence):
    def layer(self):
        return nn.LSTM(3, 8, 2, batch_first=True, dropout=0.1)


@kind("LSTM in both directions, with projections")
class BothDirections(Sequence):
    def layer(self):
        settings = {"bidirectional": True, "proj_size": 4, "dropout": 0.1}
        return nn.LSTM(3, 6, 2, batch_first=True, **settings)


@kind("GRU with dropout")
class GRU(Sequence):
    def layer(self):
        return nn.GRU(3, 8, 3, batch_first=True, dropout=0.1)


@kind("GRU over steps first, with an initial state")
class StepsFirst(Sequence):
    def layer(self):
        return nn.GRU(3, 8, 2, dropout=0.1)

    def units(self, h):
        start = h.new_zeros(self.recurrent.num_layers, len(h), 8)
        return self.recurrent(h.transpose(0, 1), start)[1][-1]


@kind("packed sequences")
class Packed(Sequence):
    def layer(self):
        return nn.LSTM(3, 8, 2, batch_first=True, dropout=0.1)

    def units(self, h):
        lengths = torch.full((len(h),), 3)
        h = pack_padded_sequence(h, lengths, batch_first=True)
        return pad_packed_sequence(self.recurrent(h)[0], batch_first=True)[0].mean(1)


@kind("cell in a loop")
class Cell(Sequence):
    def layer(self):
        return nn.GRUCell(3, 8)

    def units(self, h):
        state = None
        for step in h.unbind(1):
            state = self.recurrent(step, state)
        return state


class OwnLSTM(nn.LSTM):
    """A user's own LSTM."""


@kind("own LSTM with dropout", "masks cannot be controlled")
class RefusedLSTM(Sequence):
    def layer(self):
        return OwnLSTM(3, 8, 2, batch_first=True, dropout=0.1)


# --------------------------------------------------------------------------- attention


class Tokens(Base):
    """Four tokens of three features."""

    def prepare(self, n_features):
        self.first = nn.Linear(3, 8)
        self.attend = self.layer()

    def rows(self, x):
        return x.unflatten(1, (4, 3))

    def units(self, h):
        return self.attend(h).mean(1)


@kind("attention with dropout")
class Attention(Tokens):
    def layer(self):
        return nn.MultiheadAttention(8, 2, dropout=0.1, batch_first=True)

    def units(self, h):
        return self.attend(h, h, h, need_weights=False)[0].mean(1)


@kind("attention over tokens first, with weights kept")
class WeightsKept(Tokens):
    def layer(self):
        return nn.MultiheadAttention(8, 2, dropout=0.1, add_bias_kv=True)

    def units(self, h):
        h = h.transpose(0, 1)
        h, self.weights = self.attend(h, h, h)
        return h.mean(0)


@kind("transformer encoder")
class Encoder(Tokens):
    def layer(self):
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
        return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


@kind("transformer")
class Transformer(Tokens):
    def layer(self):
        return nn.Transformer(8, 2, 1, 1, 16, dropout=0.1, batch_first=True)

    def units(self, h):
        return self.attend(h, h[:, :1])[:, 0]


@kind("function of attention")
class FunctionOfAttention(Tokens):
    def layer(self):
        return nn.Linear(8, 24)

    def units(self, h):
        q, k, v = self.attend(h).chunk(3, -1)
        return F.scaled_dot_product_attention(q, k, v, is_causal=True).mean(1)


@kind("learned queries and a buffer of positions")
class Queries(Tokens):
    def prepare(self, n_features):
        super().prepare(n_features)
        self.query = nn.Parameter(torch.randn(1, 2, 8))
        self.register_buffer("positions", torch.linspace(-1, 1, 4)[:, None])

    def layer(self):
        return nn.MultiheadAttention(8, 2, batch_first=True, kdim=8, vdim=8)

    def units(self, h):
        h = h + self.positions
        return self.attend(self.query.expand(len(h), -1, -1), h, h)[0].mean(1)


# ---------------------------------------------------------- lazy, tied, tables, experts


@kind("lazy layers")
def _(i, o):
    layers = nn.LazyLinear(8), nn.LazyBatchNorm1d(), nn.ReLU(), nn.Dropout(0.1)
    return chain(*layers, nn.LazyLinear(o))


@kind("lazy convolution")
def _(i, o):
    layers = nn.LazyConv2d(4, 2), nn.LazyBatchNorm2d(), nn.ReLU(), nn.Dropout2d(0.1)
    return chain(nn.Unflatten(1, (1, 3, 4)), *layers, nn.Flatten(), nn.LazyLinear(o))


@kind("tied weights")
class Tied(Base):
    def prepare(self, n_features):
        self.second, self.third = nn.Linear(8, 8), nn.Linear(8, 8)
        self.third.weight = self.second.weight

    def units(self, h):
        return self.third(self.second(h).relu()).relu()


@kind("one layer in two places")
class Twice(Base):
    def prepare(self, n_features):
        self.second = nn.Linear(8, 8)
        self.again = self.second

    def units(self, h):
        return self.again(self.drop(self.second(self.drop(h)).relu()))


@kind("table of embeddings")
class Table(Base):
    def prepare(self, n_features):
        self.table = nn.Embedding(2, 3)
        self.first = nn.Linear(3 * n_features, 8)

    def rows(self, x):
        return self.table((x > 0).long()).flatten(1)


@kind("bag of embeddings")
class Bag(Base):
    def prepare(self, n_features):
        self.bag, self.first = nn.EmbeddingBag(5, 8), nn.Identity()

    def rows(self, x):
        return self.bag(x.long().clamp(0, 4))


@kind("bilinear layer")
class Bilinear(Base):
    def prepare(self, n_features):
        self.product = nn.Bilinear(8, 8, 8)

    def units(self, h):
        return self.product(h, h.tanh())


@kind("mixture of experts")
class Experts(Base):
    def prepare(self, n_features):
        self.experts = nn.ModuleDict({"a": nn.Linear(8, 8), "b": nn.Linear(8, 8)})
        self.gate = nn.Linear(8, 2)

    def units(self, h):
        outputs = torch.stack([expert(h) for expert in self.experts.values()], -1)
        return (outputs * self.gate(h).softmax(-1)[:, None]).sum(-1)


@kind("frozen layer")
def _(i, o):
    frozen = nn.Linear(i, 8).requires_grad_(False)
    return chain(frozen, nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, o))


@kind("lists of parameters")
class Lists(Base):
    def prepare(self, n_features):
        self.scales = nn.ParameterList([torch.ones(8), torch.rand(8)])
        self.shifts = nn.ParameterDict({"a": torch.zeros(8)})

    def units(self, h):
        return (h * self.scales[0] * self.scales[1] + self.shifts["a"]).relu()


@kind("hooks")
class Hooked(Base):
    def prepare(self, n_features):
        self.first.register_forward_hook(lambda layer, inputs, output: output.tanh())


@kind("traced graph")
def _(i, o):
    return torch.fx.symbolic_trace(perceptron(i, o))


@kind("compiled module")
def _(i, o):
    return torch.compile(perceptron(i, o))


@kind("compiled by torch.jit", "was compiled by torch.jit")
def _(i, o):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(perceptron(i, o))


# ----------------------------------------------------------------------- normalization


@kind("batch normalization")
def _(i, o):
    return perceptron(i, o, chain(nn.BatchNorm1d(8), nn.ReLU()))


@kind("batch normalization of images")
def _(i, o):
    layers = nn.Conv2d(1, 4, 2), nn.BatchNorm2d(4, momentum=None), nn.ReLU()
    return images(o, *layers, nn.Dropout2d(0.1), n_units=24)


@kind("synchronised batch normalization")
def _(i, o):
    return nn.SyncBatchNorm.convert_sync_batchnorm(perceptron(i, o, nn.BatchNorm1d(8)))


@kind("batch normalization without statistics", "must take a single row")
def _(i, o):
    return perceptron(i, o, nn.BatchNorm1d(8, track_running_stats=False))


class OwnBatchNorm(nn.BatchNorm1d):
    """Also knows the largest values of the rows."""

    def __init__(self, n_units):
        super().__init__(n_units)
        self.register_buffer("largest", torch.ones(n_units))

    def forward(self, x):
        if self.training:
            self.largest = torch.maximum(self.largest, x.detach().abs().amax(0))
        return super().forward(x) / self.largest


@kind("own kind of batch normalization", LEARNT)
def _(i, o):
    return perceptron(i, o, OwnBatchNorm(8))


@kind("layer normalization")
def _(i, o):
    return perceptron(i, o, chain(nn.LayerNorm(8), nn.GELU()))


@kind("group normalization")
def _(i, o):
    return perceptron(i, o, nn.GroupNorm(2, 8))


@kind("root mean square normalization")
def _(i, o):
    return perceptron(i, o, nn.RMSNorm(8))


@kind("instance normalization")
def _(i, o):
    layers = nn.Conv2d(1, 4, 2), nn.InstanceNorm2d(4, affine=True), nn.Dropout2d(0.1)
    return images(o, *layers, n_units=24)


@kind("instance normalization with statistics", LEARNT)
def _(i, o):
    layer = nn.InstanceNorm2d(4, track_running_stats=True)
    return images(o, nn.Conv2d(1, 4, 2), layer, nn.Dropout2d(0.1), n_units=24)


# --------------------------------------------------------------------- parametrisations


@kind("weight normalization")
class WeightNorm(Base):
    def prepare(self, n_features):
        self.first = parametrizations.weight_norm(self.first)


@kind("weight normalization by a hook")
class OldWeightNorm(Base):
    def prepare(self, n_features):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.first = nn.utils.weight_norm(self.first)


@kind("spectral normalization")
class SpectralNorm(Base):
    def prepare(self, n_features):
        self.first = parametrizations.spectral_norm(self.first)


@kind("spectral normalization by a hook")
class OldSpectralNorm(Base):
    def prepare(self, n_features):
        self.first = nn.utils.spectral_norm(self.first)


@kind("orthogonal weights")
class Orthogonal(Base):
    def prepare(self, n_features):
        self.first = parametrizations.orthogonal(self.first)


class Positive(nn.Module):
    def forward(self, weight):
        return F.softplus(weight)


@kind("own parametrisation")
class Parametrised(Base):
    def prepare(self, n_features):
        parametrize.register_parametrization(self.last, "weight", Positive())


@kind("pruned weights")
class Pruned(Base):
    def prepare(self, n_features):
        prune.l1_unstructured(self.first, "weight", 0.3)
        prune.random_structured(self.last, "weight", 0.3, dim=1)


# ------------------------------------------------------------------- buffers, precision


@kind("random features")
class RandomFeatures(Base):
    def prepare(self, n_features):
        self.register_buffer("directions", torch.randn(n_features, n_features))
        self.phase = torch.rand(n_features)  # no buffer

    def rows(self, x):
        return torch.cos(x @ self.directions.to(x.dtype) + self.phase)


@kind("buffers of integers and booleans")
class Masked(Base):
    def prepare(self, n_features):
        self.register_buffer("order", torch.randperm(n_features), persistent=False)
        self.register_buffer("used", torch.rand(8) < 0.8)

    def rows(self, x):
        return x[:, self.order]

    def units(self, h):
        return h.relu() * self.used


@kind("sparse buffer")
class Graph(Base):
    def prepare(self, n_features):
        near = (torch.rand(n_features, n_features) < 0.3).float()
        self.register_buffer("near", near.to_sparse())

    def rows(self, x):
        return torch.sparse.mm(self.near, x.T.contiguous()).T


@kind("complex weights")
class Complex(Base):
    def prepare(self, n_features):
        self.mixed = nn.Parameter(torch.randn(8, 8, dtype=torch.complex64))

    def units(self, h):
        return (h.to(self.mixed.dtype) @ self.mixed).abs()


@kind("double precision")
def _(i, o):
    return perceptron(i, o).double()


@kind("half precision")
def _(i, o):
    return perceptron(i, o).to(torch.bfloat16)


@kind("single precision alone")
class Single(Base):
    def rows(self, x):
        return x.float()

    def forward(self, x):
        assert x.dtype == torch.float32
        return super().forward(x)


# ---------------------------------------------------------- state that training changes


class Learns(Base):
    """Learns something from rows in training."""

    def rows(self, x):
        if self.training:
            with torch.no_grad():
                self.learn(x)
        return self.changed(x)

    def changed(self, x):
        return x


@kind("annealed temperature and a count of steps")
class Annealed(Learns):
    def prepare(self, n_features):
        self.temperature = 2.0
        self.register_buffer("steps", torch.tensor(0))

    def learn(self, x):
        self.temperature, self.steps = max(1.0, 0.99 * self.temperature), self.steps + 1

    def units(self, h):
        return (h / self.temperature).tanh() * (1 + 0.01 * self.steps)


@kind("running mean as an attribute", LEARNT)
class RunningMean(Learns):
    def prepare(self, n_features):
        self.mean = 0.0

    def learn(self, x):
        self.mean = 0.9 * self.mean + 0.1 * float(x.mean())

    def changed(self, x):
        return x - self.mean


@kind("running maximum", LEARNT)
class RunningMaximum(Learns):
    def prepare(self, n_features):
        self.register_buffer("largest", torch.ones(n_features))

    def learn(self, x):
        self.largest = torch.maximum(self.largest, x.abs().amax(0))

    def changed(self, x):
        return x / self.largest


@kind("count and maximum in a dictionary", LEARNT)
class CountAndMaximum(Learns):
    def prepare(self, n_features):
        self.seen = {"n": 0, "largest": 1.0}

    def learn(self, x):
        largest = max(self.seen["largest"], float(x.abs().max()))
        self.seen = {"n": self.seen["n"] + 1, "largest": largest}

    def changed(self, x):
        return x / self.seen["largest"]


@kind("maximum in a namespace", LEARNT)
class MaximumInNamespace(Learns):
    def prepare(self, n_features):
        self.seen = SimpleNamespace(largest=1.0)

    def learn(self, x):
        self.seen.largest = max(self.seen.largest, float(x.abs().max()))

    def changed(self, x):
        return x / self.seen.largest


class Extremes:
    """An object without a dictionary."""

    __slots__ = ("largest",)

    def __init__(self):
        self.largest = 1.0


@kind("maximum in an object with slots", LEARNT)
class MaximumInSlots(MaximumInNamespace):
    def prepare(self, n_features):
        self.seen = Extremes()


@kind("mean of the first batch", LEARNT)
class FirstBatch(Learns):
    def prepare(self, n_features):
        self.ready = False
        self.register_buffer("mean", None)

    def learn(self, x):
        if not self.ready:
            self.mean, self.ready = x.mean(0), True

    def changed(self, x):
        return x - self.mean if self.ready else x


@kind("memory of rows that predictions use", LEARNT)
class Memory(Learns):
    def prepare(self, n_features):
        self.register_buffer("memory", torch.zeros(5, n_features))

    def learn(self, x):
        self.memory = x[:5].clone() if len(x) >= 5 else self.memory

    def changed(self, x):
        return x + (x @ self.memory.T).softmax(-1) @ self.memory


@kind("memory of rows that predictions do not use")
class Queue(Learns):
    def prepare(self, n_features):
        self.queue = []

    def learn(self, x):
        self.queue = [*self.queue[-2:], x.clone()]


@kind("auxiliary loss kept with its graph")
class Auxiliary(Base):
    def units(self, h):
        self.penalty = h.square().mean()
        return h.relu()


@kind("codebook of moving averages", LEARNT)
class Codebook(Base):
    def prepare(self, n_features):
        self.codes = nn.Parameter(torch.randn(4, 8), requires_grad=False)

    def units(self, h):
        nearest = torch.cdist(h, self.codes).argmin(1)
        if self.training:
            for code in nearest.unique():
                mean = h[nearest == code].detach().mean(0)
                self.codes.data[code] = 0.9 * self.codes.data[code] + 0.1 * mean
        return h + (self.codes[nearest] - h).detach()


@kind("moving average of weights", LEARNT)
class Averaged(Base):
    def prepare(self, n_features):
        self.register_buffer("average", self.first.weight.detach().clone())

    def forward(self, x):
        if self.training:
            now = self.first.weight.detach()
            self.average = 0.9 * self.average + 0.1 * now
            return super().forward(x)
        h = F.linear(x, self.average, self.first.bias)
        return self.last(self.drop(h.relu()))


@kind("extra state")
class ExtraState(Learns):
    def prepare(self, n_features):
        self.level = 0.0

    def learn(self, x):
        self.level += 0.1

    def get_extra_state(self):
        return {"level": self.level}

    def set_extra_state(self, state):
        self.level = state["level"]

    def units(self, h):
        return h.relu() * (1 + self.level)


@kind("layer added in training", "cannot be saved")
class Grows(Learns):
    def learn(self, x):
        if not hasattr(self, "added"):
            self.added = nn.Linear(8, 8)

    def units(self, h):
        return self.added(h).relu() if hasattr(self, "added") else h.relu()


# ------------------------------------------------------------------------------- noise


@kind("alpha dropout")
def _(i, o):
    return perceptron(i, o, chain(nn.SELU(), nn.AlphaDropout(0.1)))


@kind("alpha dropout of channels")
def _(i, o):
    layers = nn.Conv2d(1, 4, 2), nn.SELU(), nn.FeatureAlphaDropout(0.1)
    return images(o, *layers, n_units=24)


@kind("dropout with a rate of 0")
def _(i, o):
    return chain(nn.Linear(i, 8), nn.ReLU(), nn.Dropout(0.0), nn.Linear(8, o))


class UniformNoise(StochasticLayer):
    def noise(self, rng, shape):
        return rng.uniform(1 - self.p, 1 + self.p, size=shape)


@kind("own layer of noise")
def _(i, o):
    return perceptron(i, o, UniformNoise(0.2))


@kind("randomized activation")
def _(i, o):
    return perceptron(i, o, nn.RReLU())


@kind("dropout of weights")
class DropConnect(Base):
    def units(self, h):
        return F.linear(h, self.drop(torch.eye(8, dtype=h.dtype)))


@kind("normal noise in training, and skipped blocks")
class Skips(Base):
    def units(self, h):
        if not self.training:
            return 0.5 * h.relu()
        h = h + 0.1 * torch.randn_like(h)
        return h.relu() * (torch.rand(len(h), 1) < 0.5)


@kind("noise in evaluation")
class AlwaysNoisy(Base):
    def units(self, h):
        return h + 0.1 * torch.randn_like(h)


@kind("dropout by a function beside a layer", "would leave out")
class FunctionDropout(Base):
    def units(self, h):
        return F.dropout(h.relu(), 0.2, self.training)


@kind("rows compared with one another", "depend on one another")
class Compares(Base):
    def units(self, h):
        return h.softmax(0)
