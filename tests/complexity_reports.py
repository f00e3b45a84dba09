"""Small models after public reports on tools that count, which got them wrong or refused; and the counts by hand."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
import torch.nn.utils.prune
from complexity_cases import Function
from torch import Tensor, nn
from torch.nn.attention.flex_attention import flex_attention
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from course_lib.complexity import Input

LONG = torch.long


class Report(NamedTuple):
    """A model, what goes in, the multiply-adds by hand (None: only that it is answered), and where it runs."""

    make: Callable[[], nn.Module]
    inputs: tuple = ()
    macs: int | None = None
    ran_on: str = "shapes"
    kwargs: dict[str, Any] = {}  # noqa: RUF012
    options: dict[str, Any] = {}  # noqa: RUF012


def function(body: Callable[..., Any], **shapes: tuple[int, ...]) -> Callable[[], nn.Module]:
    return lambda: Function(body, **shapes)


def product(x: Tensor, w: Tensor) -> Tensor:
    return torch.relu(x @ w)


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return torch.softmax(q @ k.transpose(1, 2), dim=2) @ v


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # torch means to retire scripts; people have them
    scripted, scripted_attention = torch.jit.script(product), torch.jit.script(attention)
    traced = torch.jit.trace(lambda x, w: x @ w, (torch.rand(3, 16), torch.rand(16, 8)))


class Encoder(nn.Module):
    """torch's own stack of attention, with masks."""

    def __init__(self, mask: Callable[[Tensor], dict[str, Any]]) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 2)
        self.mask = mask

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x, **self.mask(x))


class Words(nn.Module):
    """The encoder of torch's language model tutorial: words, padding, and a mask."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(20, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 1)

    def forward(self, words: Tensor) -> Tensor:
        return self.layers(self.words(words), src_key_padding_mask=words == 0)


ENCODER_LAYER = 9 * 4 * 8 * 8 + 2 * 9 * 9 * 8 + 9 * 2 * 8 * 16


def causal(x: Tensor) -> dict[str, Any]:
    return {"mask": nn.Transformer.generate_square_subsequent_mask(x.shape[1])}


class Packed(nn.Module):
    def __init__(self, *, sort: bool) -> None:
        super().__init__()
        self.rnn, self.sort = nn.LSTM(5, 7, batch_first=True), sort

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        lengths = torch.tensor([4, 2]) if lengths is None else lengths
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=not self.sort)
        return pad_packed_sequence(self.rnn(packed)[0], batch_first=True)[0]


class Variational(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encode, self.decode = nn.Linear(12, 6), nn.Linear(3, 12)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log = self.encode(x).chunk(2, -1)
        sample = torch.distributions.Normal(mean, log.exp(), validate_args=True).rsample()
        return self.decode(sample), mean, log


class Policy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        chosen = torch.distributions.Categorical(logits=self.net(x), validate_args=True)
        action = chosen.sample()
        return action, chosen.log_prob(action)


class Experts(nn.Module):
    """Each row goes through the expert that scores best."""

    def __init__(self) -> None:
        super().__init__()
        self.score, self.experts = nn.Linear(4, 3), nn.ModuleList(nn.Linear(4, 4) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        best, out = self.score(x).argmax(-1), torch.zeros_like(x)
        for number, expert in enumerate(self.experts):
            (rows,) = torch.where(best == number)
            if len(rows):
                out[rows] = expert(x[rows])
        return out


class Dictionary(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.words = nn.Conv2d(3, 4, 3), nn.Embedding(20, 4)

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        return self.conv(batch["image"]).mean((2, 3)) + self.words(batch["words"]).sum(1)


class Named(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(4, 5), nn.Linear(6, 5)

    def forward(self, *, left: Tensor, right: Tensor, scale: float = 1.0) -> Tensor:
        return self.left(left) + self.right(right) * scale


class Timed(nn.Module):
    """A denoiser: an image and its time."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.time = nn.Conv2d(3, 3, 3, padding=1), nn.Linear(8, 3)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        rates = torch.exp(torch.arange(4, device=t.device) * -math.log(1e4) / 4)
        angles = t[:, None].float() * rates[None]
        return self.conv(x) + self.time(torch.cat([angles.sin(), angles.cos()], -1))[:, :, None, None]


class Graph(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lin = nn.Linear(16, 7)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        source, target = edges
        y = self.lin(x)
        return torch.zeros_like(y).index_add_(0, target, y[source])


class ListOfImages(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, images: list[Tensor]) -> list[Tensor]:
        return [self.conv(image[None]) for image in images]


@dataclass
class Scores:
    logits: Tensor


class FixedPoint(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.step = nn.Linear(4, 4)
        nn.init.zeros_(self.step.weight)

    def forward(self, x: Tensor) -> Tensor:
        before, now = x, self.step(x)
        while (now - before).abs().max() > 1e-6:
            before, now = now, self.step(now)
        return now


class Teacher(nn.Module):
    """A gradient of an energy within a forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(4, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            return torch.autograd.grad(self.net(x).square().sum(), x)[0]


def quantized() -> nn.Module:
    net = nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 4))
    return torch.ao.quantization.quantize_dynamic(net, {nn.Linear}, dtype=torch.qint8)


def checked(m: nn.Module, x: Tensor) -> Tensor:
    assert x.min() >= 0
    assert not torch.isnan(x).any()
    return x @ m.w


def numpy_inside(m: nn.Module, x: Tensor) -> Tensor:
    return x @ m.w + torch.from_numpy(x.detach().numpy()).sum()


def boxes(m: nn.Module, x: Tensor) -> Tensor:
    import torchvision

    found = (x[0] @ m.w).abs()
    return found[torchvision.ops.nms(torch.cat([found[:, :2], found[:, :2] + 1], 1), found[:, 0], 0.5)]


REPORTS: dict[str, Report] = {
    # never silently 0
    "scripted function": Report(function(lambda m, x: scripted(x, m.w), w=(16, 8)), ((16,),), 128),
    "scripted attention": Report(function(lambda _, x: scripted_attention(x, x, x)), ((10, 16),), 3200),
    "traced function": Report(function(lambda m, x: traced(x, m.w), w=(16, 8)), ((3, 16),), 384),
    "scripted part": Report(
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3), torch.jit.script(nn.Conv2d(4, 5, 1))), ((3, 8, 8),), 36 * (108 + 20)
    ),
    "scripted model": Report(lambda: torch.jit.script(nn.Conv2d(3, 4, 3)), ((3, 8, 8),), 3888),
    "traced model": Report(
        lambda: torch.jit.trace(nn.Sequential(nn.Linear(4, 5), nn.ReLU()), torch.rand(1, 4)), ((4,),), 20
    ),
    "frozen script": Report(
        lambda: torch.jit.freeze(torch.jit.script(nn.Sequential(nn.Linear(4, 5), nn.ReLU()).eval())),
        ((4,),), 20, "values",
    ),
    # values
    "encoder with a causal mask": Report(lambda: Encoder(causal), ((9, 8),), 2 * ENCODER_LAYER),
    "encoder that is told": Report(
        lambda: Encoder(lambda x: causal(x) | {"is_causal": True}), ((9, 8),), 2 * ENCODER_LAYER
    ),
    "padding mask": Report(Words, (Input((9,), LONG),), ENCODER_LAYER, "values"),
    "encoder and decoder": Report(
        lambda: nn.Transformer(8, 2, 1, 1, 16, batch_first=True), ((9, 8), (9, 8)), 2 * ENCODER_LAYER + 2592 - 0,
        kwargs={"tgt_mask": torch.triu(torch.full((9, 9), -math.inf), 1)},
    ),
    "packed sequence": Report(
        lambda: Packed(sort=False), (Input((2, 4, 5), batched=False),), 6 * 4 * 7 * (5 + 7), "values"
    ),
    "packed and sorted": Report(
        lambda: Packed(sort=True), (torch.rand(2, 4, 5), torch.tensor([1, 4])), 5 * 4 * 7 * (5 + 7), "values"
    ),
    "distribution": Report(Variational, ((12,),), 72 + 36, "values"),
    "sampled action": Report(Policy, ((4,),), 12, "values"),
    "experts": Report(Experts, ((4,),), 12 + 16, "values"),
    "boolean mask": Report(function(lambda m, x: x[x > -1].view(1, -1) @ m.w, w=(4, 5)), ((4,),), 20, "values"),
    "nonzero": Report(function(lambda m, x: x[(x + 1).nonzero()[:, 0]] @ m.w, w=(4, 5)), ((4,),), None, "values"),
    "boxes": Report(function(boxes, w=(4, 4)), ((6, 4),), 96, "values"),
    "assertions": Report(function(checked, w=(4, 5)), ((4,),), 20, "values"),
    "numpy": Report(function(numpy_inside, w=(4, 5)), ((4,),), 20, "values"),
    "fixed point": Report(FixedPoint, ((4,),), 32, "values"),
    "quantized": Report(quantized, ((16,),), 128 + 32, "values"),
    "flexible attention": Report(
        function(lambda _, x: flex_attention(x, x, x)), ((2, 16, 16),), 2 * 2 * 16 * 16 * 16, "values"
    ),
    "a GPU by name": Report(
        function(lambda m, x: (x + torch.zeros(4, device="cuda")) @ m.w, w=(4, 5)), ((4,),), 20, "shapes"
    ),
    "gradient inside": Report(Teacher, ((4,),), 4 + 4),
    "unique": Report(function(lambda m, x: x @ m.w[: len(x.long().unique())], w=(4, 5)), ((1,),), 5, "values"),
    "item": Report(function(lambda m, x: (x @ m.w) * x.max().item(), w=(4, 5)), ((4,),), 20, "values"),
    # any input
    "words": Report(lambda: nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 2)), (Input((6,), LONG),), 48),
    "dictionary": Report(Dictionary, ({"image": (3, 8, 8), "words": Input((5,), LONG)},), 3888),
    "named": Report(Named, (), 20 + 30, kwargs={"left": (4,), "right": (6,), "scale": 2.0}),
    "image and time": Report(Timed, ((3, 8, 8), ()), 64 * 81 + 24),
    "graph": Report(Graph, ((10, 16), Input((2, 40), LONG)), 10 * 16 * 7, "shapes", options={"batch_size": None}),
    "list of images": Report(ListOfImages, ([torch.rand(3, 8, 8), torch.rand(3, 6, 6)],), 4 * 27 * (36 + 16)),
    "tensor": Report(lambda: nn.Conv2d(3, 8, 3), (torch.rand(2, 3, 8, 8),), 2 * 36 * 216),
    "tensor without values": Report(lambda: nn.Linear(4, 5), (torch.empty(3, 4, device="meta"),), 60),
    "without batch": Report(lambda: nn.Conv2d(3, 8, 3), ((3, 8, 8),), 36 * 216, options={"batch_size": None}),
    "dataclass": Report(function(lambda m, x: Scores(x @ m.w), w=(4, 5)), ((4,),), 20),
    # layers, and how they are used
    "vision transformer's attention": Report(lambda: Encoder(lambda _: {}), ((9, 8),), 2 * ENCODER_LAYER),
    "linear on many axes": Report(lambda: nn.Linear(4, 5), ((2, 3, 4),), 120),
    "transposed, strided": Report(lambda: nn.ConvTranspose2d(1, 1, 2, 2), ((1, 3, 4),), 48),
    "transposed, large": Report(
        lambda: nn.ConvTranspose2d(256, 128, 3, 2, 1, 1), ((256, 32, 48),), 32 * 48 * 256 * 128 * 9
    ),
    "broadcast product": Report(function(lambda m, x: x.matmul(m.w), w=(2, 4, 5)), ((2, 3, 4),), 120),
    "vector by vector": Report(function(lambda m, x: x[0] @ m.w, w=(8,)), ((8,),), 8),
    "attention layer": Report(lambda: Encoder(lambda _: {}).layers.layers[0].self_attn, ((9, 8),) * 3, 9 * 256 + 1296),
    "tied weights": Report(
        function(lambda m, x: F.linear(F.embedding(x, m.w), m.w), w=(50, 8)), (Input((6,), LONG),), 6 * 8 * 50
    ),
    "LSTM cell": Report(lambda: nn.LSTMCell(5, 7), ((5,),), 4 * 7 * 12),
    "GRU cell": Report(lambda: nn.GRUCell(5, 7), ((5,),), 3 * 7 * 12),
    "LSTM, projected": Report(lambda: nn.LSTM(5, 7, proj_size=3, batch_first=True), ((4, 5),), 4 * (28 * 8 + 21)),
    "GRU, both ways": Report(lambda: nn.GRU(5, 7, bidirectional=True, batch_first=True), ((4, 5),), 4 * 2 * 21 * 12),
    "RNN": Report(lambda: nn.RNN(5, 7, batch_first=True), ((4, 5),), 4 * 7 * 12),
    "pruned": Report(lambda: nn.utils.prune.l1_unstructured(nn.Conv2d(3, 4, 3), "weight", 0.5), ((3, 8, 8),), 3888),
    "weight norm": Report(lambda: nn.utils.parametrizations.weight_norm(nn.Linear(4, 5)), ((4,),), 20),
    "bilinear layer": Report(lambda: nn.Bilinear(4, 5, 6), ((4,), (5,)), None),
    "compiled inside": Report(
        lambda: nn.Sequential(torch.compile(nn.Linear(4, 5), backend="eager"), nn.Linear(5, 2)), ((4,),), 30
    ),
    "checkpointed": Report(
        function(lambda m, x: torch.utils.checkpoint.checkpoint(lambda y: y @ m.w, x, use_reentrant=False), w=(4, 5)),
        ((4,),), 20,
    ),
    "checkpointed, the old way": Report(
        function(lambda m, x: torch.utils.checkpoint.checkpoint(lambda y: y @ m.w, x, use_reentrant=True), w=(4, 5)),
        ((4,),), 20,
    ),
    "inference mode": Report(
        function(lambda m, x: torch.inference_mode()(lambda y: y @ m.w)(x), w=(4, 5)), ((4,),), 20
    ),
    "batched by vmap": Report(function(lambda m, x: torch.vmap(lambda row: row @ m.w)(x), w=(4, 5)), ((3, 4),), 60),
    "functional call": Report(
        lambda: Function(lambda m, x: torch.func.functional_call(m.inner, {"weight": m.w}, (x,)), w=(5, 4)), ((4,),), 20
    ),
    "traced by fx": Report(lambda: torch.fx.symbolic_trace(nn.Sequential(nn.Linear(4, 5), nn.ReLU())), ((4,),), 20),
    "exported": Report(lambda: torch.export.export(nn.Linear(4, 5), (torch.rand(1, 4),)).module(), ((4,),), 20),
    "autocast": Report(
        function(lambda m, x: torch.autocast("cpu", torch.bfloat16)(lambda y: y @ m.w)(x), w=(4, 5)), ((4,),), 20
    ),
    "group queries": Report(
        function(lambda _, x: F.scaled_dot_product_attention(x, x[:, :1], x[:, :1], enable_gqa=True)), ((2, 6, 4),), 576
    ),
    "complex": Report(function(lambda m, x: torch.view_as_complex(m.w) @ x.cfloat(), w=(5, 4, 2)), ((4, 3),), 60),
    "long convolution by FFT": Report(function(lambda m, x: torch.fft.irfft(torch.fft.rfft(x) * m.w), w=(5,)), ((8,),)),
}  # fmt: skip
REPORTS["functional call"] = REPORTS["functional call"]._replace(make=lambda: with_inner())
REPORTS["encoder and decoder"] = REPORTS["encoder and decoder"]._replace(
    macs=ENCODER_LAYER + 2 * (9 * 4 * 8 * 8 + 2 * 9 * 9 * 8) + 9 * 2 * 8 * 16
)


def with_inner() -> nn.Module:
    module = Function(lambda m, x: torch.func.functional_call(m.inner[0], {"weight": m.w}, (x,)), w=(5, 4))
    module.inner = [nn.Linear(4, 5, bias=False)]  # in a list, so that its own weight is no parameter of the model
    return module
