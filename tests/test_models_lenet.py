"""LeNet-5 of 1998 and its modern form, against the paper's own figures and hand computations."""

import re

import pytest
import torch
from torch import nn
from torchinfo import summary

from course_lib.models import build
from course_lib.models.lenet import C3_TABLE, FULL_TABLE
from course_lib.models.lenet_layers import ScaledTanh, SparseConv2d, Subsampling
from course_lib.models.lenet_output import EuclideanRBF, class_codes, map_criterion, mse_criterion
from course_lib.models.lenet_table import layer_table

# LeCun et al. 1998, section II-B: maps, size, trainable parameters, connections. The output's 840 connections follow
# from the total.
PAPER = {
    "c1": (6, 28, 156, 122_304),
    "s2": (6, 14, 12, 5_880),
    "c3": (16, 10, 1_516, 151_600),
    "s4": (16, 5, 32, 2_000),
    "c5": (120, 1, 48_120, 48_120),
    "f6": (84, 1, 10_164, 10_164),
    "output": (10, 1, 0, 840),
}

# Table I of the paper as it is printed: a row for each map of S2, a column for each of the 16 maps of C3.
PAPER_TABLE_I = """
X...XXX..XXXX.XX
XX...XXX..XXXX.X
XXX...XXX..X.XXX
.XXX..XXXX..X.XX
..XXX..XXXX.XX.X
...XXX..XXXX.XXX
"""


def test_every_row_of_the_paper_is_met():
    rows = layer_table(build("lenet5_1998"))
    assert {row.name: (row.maps, row.height, row.parameters, row.connections) for row in rows} == PAPER
    assert sum(row.parameters for row in rows) == 60_000
    assert sum(row.connections for row in rows) == 340_908


@pytest.mark.parametrize(("name", "size", "params"), [("lenet5_1998", 32, 60_000), ("lenet5", 32, 61_706)])
def test_totals_agree_with_torchinfo(name, size, params):
    assert summary(build(name), (1, 1, size, size), verbose=0).trainable_params == params


def test_table_is_the_one_that_the_paper_prints():
    printed = PAPER_TABLE_I.split()
    assert [tuple(source for source in range(6) if printed[source][out] == "X") for out in range(16)] == list(C3_TABLE)


def test_connections_of_c3_counted_one_by_one():
    pixels = [[set() for _ in range(10 * 10)] for _ in range(16)]  # for each unit of C3, the units of S2 that it reads
    for out in range(16):
        for place in range(10 * 10):
            row, column = divmod(place, 10)
            for source in C3_TABLE[out]:
                for u in range(5):
                    for v in range(5):
                        pixels[out][place].add((source, row + u, column + v))
    assert sum(len(inputs) + 1 for units in pixels for inputs in units) == 151_600
    assert max(max(row, column) for units in pixels for inputs in units for _, row, column in inputs) == 14 - 1


def test_modern_table_has_the_hand_computed_connections():
    by_hand = {
        "c1": 28 * 28 * 6 * 26,
        "s2": 14 * 14 * 6 * 4,
        "c3": 10 * 10 * 16 * (6 * 25 + 1),
        "s4": 5 * 5 * 16 * 4,
        "c5": 401 * 120,
        "f6": 121 * 84,
        "output": 85 * 10,
    }
    assert {row.name: row.connections for row in layer_table(build("lenet5"))} == by_hand
    assert {row.kind for row in layer_table(build("lenet5"))} == {"convolution", "pooling", "full connection"}


def test_squashing_keeps_one_and_minus_one():
    squashed = ScaledTanh()(torch.tensor([-1.0, 0.0, 1.0, 100.0]))
    assert torch.allclose(squashed, torch.tensor([-1.0, 0.0, 1.0, 1.7159]), atol=1e-4)


def test_subsampling_adds_scales_and_shifts():
    layer = Subsampling(2)
    with torch.no_grad():
        layer.coefficient.copy_(torch.tensor([0.5, -1.0]))
        layer.bias.copy_(torch.tensor([0.1, 0.2]))
    image = torch.arange(32.0).view(1, 2, 4, 4)
    expected = torch.empty(1, 2, 2, 2)
    for c, (coefficient, bias) in enumerate([(0.5, 0.1), (-1.0, 0.2)]):
        for i in range(2):
            for j in range(2):
                square = image[0, c, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
                expected[0, c, i, j] = coefficient * square.sum() + bias
    assert torch.allclose(layer(image), expected)


def test_a_sparse_convolution_is_a_masked_one():
    layer = SparseConv2d(6, C3_TABLE, kernel_size=5)
    x = torch.randn(2, 6, 14, 14)
    by_map = [
        nn.functional.conv2d(
            x[:, list(seen)], layer.weight[layer.pairs[0] == out].unsqueeze(0), layer.bias[out : out + 1]
        )
        for out, seen in enumerate(C3_TABLE)
    ]
    assert torch.allclose(layer(x), torch.cat(by_map, dim=1), atol=1e-5)


def test_a_full_table_is_an_ordinary_convolution():
    layer = SparseConv2d(6, FULL_TABLE, kernel_size=5)
    assert sum(p.numel() for p in layer.parameters()) == sum(p.numel() for p in nn.Conv2d(6, 16, 5).parameters())


@pytest.mark.parametrize("table", [[(0, 1), ()], [(0, 6)], [(1, 1)], [(-1, 2)]])
def test_a_wrong_table_is_refused(table):
    with pytest.raises(ValueError, match="table rows must hold different maps out of 0 to 5"):
        SparseConv2d(6, table, kernel_size=5)


def test_outputs_are_minus_squared_distances_to_the_codes():
    codes = class_codes()
    assert codes.shape == (10, 84)
    assert codes.abs().eq(1).all()
    assert len(codes.unique(dim=0)) == 10
    x = torch.randn(3, 84)
    expected = torch.tensor(
        [[-sum((a - b) ** 2 for a, b in zip(row, code, strict=True)) for code in codes] for row in x]
    )
    assert torch.allclose(EuclideanRBF(codes)(x), expected, rtol=1e-4)
    assert list(EuclideanRBF(codes).parameters()) == []


def test_the_criteria_follow_their_equations():
    penalties, labels = torch.tensor([[1.0, 4.0], [3.0, 0.5]]), torch.tensor([0, 0])
    assert mse_criterion(-penalties, labels).item() == pytest.approx((1 + 3) / 2)
    margin = 2.0
    expected = sum(
        row[0] + torch.log(torch.exp(torch.tensor(-margin)) + torch.exp(-row).sum()) for row in penalties
    ) / len(penalties)
    assert map_criterion(-penalties, labels, margin).item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("name", ["lenet5_1998", "lenet5", "mnist_cnn"])
def test_gradients_reach_every_trainable_parameter(name):
    size = 28 if name == "mnist_cnn" else 32
    model = build(name)
    nn.functional.cross_entropy(model(torch.randn(4, 1, size, size)), torch.arange(4)).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize(("name", "lr"), [("lenet5_1998", 0.01), ("lenet5", 0.01), ("mnist_cnn", 0.001)])
def test_one_batch_can_be_learned_by_heart(name, lr):
    torch.manual_seed(0)
    size = 28 if name == "mnist_cnn" else 32
    model, images, labels = build(name), torch.randn(10, 1, size, size), torch.arange(10)
    optimiser = torch.optim.Adam(model.parameters(), lr)
    for _ in range(100):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimiser.step()
    assert model(images).argmax(1).equal(labels)


def test_options_change_what_they_name():
    colour = build("lenet5", in_channels=3, num_classes=5, activation="relu", pooling="max", padding=2)
    assert colour(torch.zeros(2, 3, 28, 28)).shape == (2, 5)
    assert isinstance(colour.s2, nn.MaxPool2d)
    assert isinstance(colour.f6_squash, nn.ReLU)
    assert build("lenet5_1998", num_classes=12, in_channels=2)(torch.zeros(1, 2, 32, 32)).shape == (1, 12)
    with pytest.raises(ValueError, match="activation must be one of 'tanh', 'relu', got 'gelu'"):
        build("lenet5", activation="gelu")


@pytest.mark.parametrize(
    ("name", "options", "size", "died_in", "smallest"),
    [
        ("lenet5_1998", {}, 4, "'c1' (Conv2d)", 32),
        ("lenet5_1998", {}, 10, "'c3' (SparseConv2d)", 32),
        ("lenet5_1998", {}, 31, "'c5' (Conv2d)", 32),
        ("lenet5", {}, 28, "'c5' (Linear)", 32),
        ("lenet5", {"padding": 2}, 27, "'c5' (Linear)", 28),
        ("mnist_cnn", {}, 8, "'conv2' (Conv2d)", 28),
    ],
)
def test_a_small_image_is_told_where_it_dies(name, options, size, died_in, smallest):
    message = f"input {size}x{size} is too small: it dies in {died_in}; smallest size that works: {smallest}x{smallest}"
    with pytest.raises(ValueError, match=re.escape(message)):
        build(name, **options)(torch.zeros(1, 1, size, size))


@pytest.mark.parametrize(("name", "size", "died_in"), [("lenet5_1998", 36, "'f6'"), ("lenet5", 36, "'c5'")])
def test_a_large_image_is_told_too(name, size, died_in):
    with pytest.raises(ValueError, match=f"input {size}x{size} does not fit: it dies in {died_in}"):
        build(name)(torch.zeros(1, 1, size, size))
