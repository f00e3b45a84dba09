"""Receptive fields of an analysis, against the arithmetic of chains and against the reach of real gradients."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.arithmetic import Layer, ReceptiveField, receptive_fields
from course_lib.complexity import Input, analyze, build_meta
from course_lib.complexity.fields import UnevenField
from course_lib.models.blocks import LocalResponseNorm
from course_lib.models.residual import ZeroPadShortcut


def pair(value: object) -> tuple:
    return value if isinstance(value, tuple) else (value, value)


def in_pairs(field: ReceptiveField) -> tuple:
    return pair(field.size), pair(field.jump), pair(field.offset)


def window(layer: nn.Module) -> Layer:
    return Layer(layer.kernel_size, layer.stride, layer.padding, getattr(layer, "dilation", 1))


CHAINS = {
    "vgg": [nn.Conv2d(3, 4, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3, padding=1), nn.AvgPool2d(2)],
    "alexnet": [nn.Conv2d(3, 4, 11, 4, 2), nn.MaxPool2d(3, 2), nn.Conv2d(4, 4, 5, padding=2, groups=2)],
    "dilated": [nn.Conv2d(3, 4, 3, dilation=2), nn.MaxPool2d(3, 1, dilation=3), nn.Conv2d(4, 4, 3, 2)],
    "non-square": [nn.Conv2d(3, 4, (3, 5), (1, 2), (0, 2)), nn.MaxPool2d((2, 1), (3, 1)), nn.Conv2d(4, 4, 1)],
    "even": [nn.Conv2d(3, 4, 4, 2, 1), nn.Conv2d(4, 4, 2), nn.AvgPool2d(3, 2, 1)],
}


@pytest.mark.parametrize("name", CHAINS)
def test_fields_of_a_chain_are_those_of_the_arithmetic(name: str) -> None:
    layers = CHAINS[name]
    between = [part for layer in layers for part in (layer, nn.ReLU(), nn.Dropout(0.1))]

    found = analyze(nn.Sequential(*between), (3, 65, 67)).rows

    expected = [in_pairs(field) for field in receptive_fields(window(layer) for layer in layers)]
    assert [in_pairs(row.receptive_field) for row in found[::3]] == expected
    assert [in_pairs(row.receptive_field) for row in found[2::3]] == expected


class Reaching(nn.Module):
    """A module of one function on an image; its kernels are all ones."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def ones(kernel_size: int | tuple[int, int], **options: int) -> Callable[[Tensor], Tensor]:
    """A convolution of one channel with a kernel of ones."""
    height, width = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    return lambda x: F.conv2d(x, torch.ones(1, 1, height, width, dtype=x.dtype), **options)


def branches(x: Tensor) -> Tensor:
    x = ones(3, stride=2, padding=1)(x)
    left, right = ones(5, padding=2)(x), ones((1, 3), padding=(0, 1))(ones((3, 1), padding=(1, 0))(x))
    pooled = F.avg_pool2d(x, 3, 1, 1)
    stacked = torch.cat([left, right, pooled], dim=1).sum(1, keepdim=True)
    return ones(3, padding=1)(stacked) + x


def in_place(x: Tensor) -> Tensor:
    y = ones(3, padding=1)(x)
    y += ones(7, padding=3)(x)
    return F.relu(y, inplace=True)


REACHES = {
    "branches and a shortcut": branches,
    "a sum in place": in_place,
    "uneven padding": lambda x: ones(4, stride=2)(F.pad(x, (2, 1, 0, 3))),
    "cropping": lambda x: ones(3)(F.pad(x, (-1, -2, -3, 0))),
    "every second pixel": lambda x: ones(3)(x[:, :, 1::2, 2::3]),
    "branches of different offset": lambda x: ones(3)(x)[:, :, 1:, 1:] + x[:, :, :-3, :-3],
    "a mean over channels": lambda x: ones(3)(torch.cat([x, x * 2], 1).mean(dim=1, keepdim=True)),
    "pooling to a given size": lambda x: F.adaptive_avg_pool2d(ones(3, padding=1)(x), 4),
    "response normalisation": lambda x: LocalResponseNorm(3)(ones(3, padding=1)(x)),
    "shortcut of zeros": lambda x: ZeroPadShortcut(2, 2)(ones(3, padding=1)(x)).sum(1, keepdim=True),
    "mask with a constant": lambda x: ones(3)(torch.where(torch.ones(36, 36) > 0, x, 0.0)),
}


@pytest.mark.parametrize("name", REACHES)
def test_field_is_as_wide_as_the_gradient_reaches(name: str) -> None:
    size = 36
    image = torch.rand(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    output = REACHES[name](image)
    row, column = (side // 2 for side in output.shape[2:])
    output[0, 0, row, column].backward()
    reached = image.grad[0, 0].nonzero()

    field = analyze(Reaching(REACHES[name]), (1, size, size), input_dtype=torch.float64).rows[-1].receptive_field

    for axis, position in enumerate((row, column)):
        first, last, jump = (pair(value)[axis] for value in (field.first, field.last, field.jump))
        assert int(reached[:, axis].min()) == first + position * jump
        assert int(reached[:, axis].max()) == last + position * jump


def norm_last(x: Tensor) -> Tensor:
    """Channels last, normalised and mapped there, and back, as in ConvNeXt."""
    y = torch.cat([ones(3, padding=1)(x), x], 1).permute(0, 2, 3, 1)
    y = F.linear(F.layer_norm(y, (2,)), torch.tensor([[1, 2], [3, 4]]).to(x.dtype)) * 2
    return ones(3, padding=1)(y.permute(0, 3, 1, 2)[:, :1])


def unet(x: Tensor) -> Tensor:
    """Two steps down and up again, with a shortcut."""
    first = ones(3, padding=1)(x)
    low = ones(3, padding=1)(F.max_pool2d(first, 2))
    lower = F.interpolate(ones(3, padding=1)(F.avg_pool2d(low, 2)), scale_factor=2, mode="bilinear")
    up = F.conv_transpose2d(lower + low, torch.ones(1, 1, 2, 2, dtype=x.dtype), stride=2)
    return ones(3, padding=1)(torch.cat([up, first], 1).sum(1, keepdim=True))


def line(kernel: int, **options: int) -> Callable[[Tensor], Tensor]:
    return lambda x: F.conv1d(x, torch.ones(1, 1, kernel, dtype=x.dtype), **options)


def cube(kernel: tuple[int, ...], **options: int) -> Callable[[Tensor], Tensor]:
    return lambda x: F.conv3d(x, torch.ones(1, 1, *kernel, dtype=x.dtype), **options)


UNEVEN: dict[str, tuple[tuple[int, ...], Callable[[Tensor], Tensor]]] = {
    "dilated line": ((41,), lambda x: line(3, dilation=4)(line(3, dilation=2)(line(3)(x)))),
    "strided line": ((41,), lambda x: F.avg_pool1d(line(5, stride=2, padding=2)(x), 2)),
    "cube": ((13, 14, 15), lambda x: F.avg_pool3d(cube((3, 1, 2), stride=(1, 2, 1))(x), (1, 2, 2))),
    "even cube": ((13, 13, 13), lambda x: cube((3, 3, 3), padding=1)(cube((3, 3, 3))(x))),
    "transposed": ((20, 20), lambda x: F.conv_transpose2d(x, x.new_ones(1, 1, 3, 4), stride=2, padding=1)),
    "transposed line": ((20,), lambda x: F.conv_transpose1d(x, x.new_ones(1, 1, 5), stride=3)),
    "nearest": ((12, 12), lambda x: ones(3)(F.interpolate(x, scale_factor=3))),
    "nearest to a size": ((12, 12), lambda x: ones(3)(F.interpolate(x, size=(18, 30)))),
    "bilinear": ((12, 12), lambda x: ones(2)(F.interpolate(x, scale_factor=2, mode="bilinear"))),
    "bilinear by corners": ((13, 13), lambda x: F.interpolate(x, size=(25, 19), mode="bilinear", align_corners=True)),
    "bicubic": ((12, 12), lambda x: F.interpolate(x, scale_factor=2, mode="bicubic")),
    "smaller": ((24, 24), lambda x: F.interpolate(ones(3)(x), size=(11, 11))),
    "pixels from channels": ((12, 12), lambda x: F.pixel_shuffle(torch.cat([ones(3)(x)] * 4, 1), 2)),
    "channels from pixels": ((12, 12), lambda x: F.pixel_unshuffle(ones(3)(x), 2).sum(1, keepdim=True)),
    "focus": ((12, 12), lambda x: torch.cat([x[..., ::2, ::2], x[..., 1::2, 1::2]], 1).sum(1, keepdim=True)),
    "channels last and back": ((16, 16), norm_last),
    "encoder and decoder": ((48, 48), unet),
    "softmax over channels": (
        (12, 12), lambda x: torch.cat([ones(3)(x), x[:, :, 1:-1, 1:-1] ** 2], 1).softmax(1)[:, :1],
    ),
    "largest over channels": ((12, 12), lambda x: torch.cat([ones(3)(x)] * 2, 1).max(1, keepdim=True)[0]),
    "norm over channels": ((12, 12), lambda x: torch.cat([ones(3)(x)] * 2, 1).norm(dim=1, keepdim=True)),
    "stacked and summed": ((12, 12), lambda x: torch.stack([ones(3, padding=1)(x), x]).sum(0)),
    "even kernel, same size": ((12, 12), ones((4, 2), padding="same")),
    "power pooling": ((12, 12), lambda x: F.lp_pool2d(ones(3)(x), 2.0, 2)),
    "repeated": ((12, 12), lambda x: x.repeat_interleave(2, 2).repeat_interleave(2, 3)[:, :, 1:, :-3]),
    "groups of channels": (
        (12, 12), lambda x: ones(3)(torch.cat([x] * 4, 1).view(1, 2, 2, 12, 12).mean((1, 2))[:, None]),
    ),
}  # fmt: skip


def each(value: object) -> tuple:
    return value if isinstance(value, tuple) else (value,) * 3


def ends(field: ReceptiveField) -> tuple:
    return field.first, field.last


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("name", UNEVEN)
def test_every_pixels_field_is_as_wide_as_its_gradient_reaches(name: str) -> None:
    sizes, function = UNEVEN[name]
    image = torch.rand(1, 1, *sizes, dtype=torch.float64, requires_grad=True)
    output = function(image)
    field = analyze(Reaching(function), (1, *sizes), input_dtype=torch.float64).rows[-1].receptive_field
    axes = [axis for axis, size in enumerate(sizes) if size > 1]

    for shift in range(4):
        place = [min(size - 1, size // 2 + shift) for size in output.shape[2:]]
        (gradient,) = torch.autograd.grad(output[(0, 0, *place)], image, retain_graph=True)
        reached = gradient[0, 0].nonzero()
        for number, axis in enumerate(axes):
            if isinstance(field, UnevenField):
                first, last = field.reaches[number].of(place[number])
            else:
                first, last = (each(end)[number] + place[number] * each(field.jump)[number] for end in ends(field))
            assert int(reached[:, axis].min()) == first
            assert int(reached[:, axis].max()) == last
            assert last - first + 1 <= (field.size if isinstance(field.size, int) else field.size[number])


def test_words_have_fields_too() -> None:
    model = nn.Sequential(nn.Embedding(20, 4), Reaching(lambda x: x.transpose(1, 2)), nn.Conv1d(4, 6, 5, padding=2))

    assert analyze(model, Input((30,), torch.long)).rows[-1].receptive_field == ReceptiveField(5, 1, 0)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * x.mean((2, 3), keepdim=True),
        lambda x: F.instance_norm(x),
        lambda x: x + x.flip(2),
        lambda x: x + x.transpose(2, 3),
        lambda x: F.conv_transpose2d(x, torch.ones(1, 1, 1, 1), stride=2),
        lambda x: x + F.interpolate(x, scale_factor=2)[:, :, ::2, ::2].flip(3),
        lambda x: x @ x,
        lambda x: F.softmax(x, dim=3),
        lambda x: F.pad(x, (1, 1, 1, 1), mode="circular"),
        lambda x: torch.cat([x, x], dim=2),
        lambda x: F.adaptive_avg_pool2d(x, 5),
        lambda x: x.flatten(1),
    ],
)
def test_field_that_is_not_defined_is_none(function: Callable[[Tensor], Tensor]) -> None:
    found = analyze(nn.Sequential(nn.Conv2d(1, 1, 1), Reaching(function), nn.ReLU()), (1, 36, 36))

    assert found.rows[0].receptive_field == ReceptiveField(1, 1, 0)
    assert found.rows[-1].receptive_field is None


def test_what_does_not_depend_on_the_input_has_no_say() -> None:
    def function(x: Tensor) -> Tensor:
        table = torch.ones(1, 1, 18, 18).repeat(1, 1, 2, 2)
        return ones(3)(x * table) * torch.ones(1, 1, 1)

    assert analyze(Reaching(function), (1, 36, 36)).rows[-1].receptive_field == ReceptiveField(3, 1, 1)


@pytest.mark.parametrize(
    ("name", "size", "part"),
    [("alexnet_owt", 195, "features"), ("vgg16", 212, "features"), ("mobilenet_v1", 315, "features")],
)
def test_fields_of_networks_are_those_published(name: str, size: int, part: str) -> None:
    """Araujo, Norris and Sim 2019, "Computing receptive fields of modern convnets": the stride is 32 in all three."""
    rows = [row for row in analyze(build_meta(name), (3, 224, 224)).rows if row.name.startswith(part)]

    assert (rows[-1].receptive_field.size, rows[-1].receptive_field.jump) == (size, 32)


def test_field_of_a_residual_network_is_that_of_its_longest_path() -> None:
    rows = [row for row in analyze(build_meta("resnet50"), (3, 224, 224)).rows if row.name.startswith("stages")]

    strides = [1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1]  # of the 3x3 convolutions, one a block
    path = [Layer(7, 2, 3), Layer(3, 2, 1), *(Layer(3, stride, 1) for stride in strides)]
    assert rows[-1].receptive_field == receptive_fields(path)[-1]


def test_weights_that_are_computed_leave_the_field_alone() -> None:
    conv = nn.utils.parametrizations.spectral_norm(nn.Conv2d(3, 4, 3))

    assert analyze(nn.Sequential(conv, nn.Conv2d(4, 4, 3)), (3, 9, 9)).rows[-1].receptive_field.size == 5


def test_offset_of_an_even_kernel_lies_between_two_pixels() -> None:
    found = analyze(nn.MaxPool2d(2), (1, 8, 8))

    assert found.rows[0].receptive_field == ReceptiveField(2, 2, Fraction(1, 2))
