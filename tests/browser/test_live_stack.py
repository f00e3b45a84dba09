"""The stacking piece against torch and course_lib: random networks, presets, exported code, and its controls."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from live_page import asked, mistake, opened
from models_table import COUNTS
from torch import nn

from course_lib.complexity import analyze, on_meta
from course_lib.models import build, input_shape
from course_suite.live.networks import PRESETS, networks
from course_suite.subjects import find_subject

pytestmark = pytest.mark.browser

MEASURE = "(words) => course.network.measure(course.network.parse(words))"
MAKE = {"max": nn.MaxPool2d, "avg": nn.AvgPool2d}


def pair(chance: random.Random, *values: int) -> int | tuple[int, int]:
    """One of the values, or in one case of six a pair of them."""
    return chance.choice(values) if chance.random() < 0.84 else (chance.choice(values), chance.choice(values))


def text(value: int | tuple[int, int]) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def random_network(chance: random.Random) -> tuple[str, tuple[int, int, int], list[Any]]:
    """Words, the shape of the input, and how torch would be asked for each layer."""
    shape = (chance.choice((1, 3, 4)), chance.choice((8, 27, 28, 32)), chance.choice((8, 28, 32)))
    words, asked = ["x".join(map(str, shape))], []
    for _ in range(chance.randint(1, 7)):
        kind = chance.choice(("conv", "conv", "conv", "max", "avg", "norm", "global", "linear"))
        kernel, stride, padding = pair(chance, 1, 2, 3, 5), pair(chance, 1, 1, 2, 3), pair(chance, 0, 0, 1, 2)
        if kind == "conv":
            width, dilation = chance.choice((4, 6, 8)), pair(chance, 1, 1, 1, 2)
            groups, bias = chance.choice((1, 1, 1, 2, 3)), chance.random() < 0.7
            words.append(
                f"conv-{width}-k{text(kernel)}-s{text(stride)}-p{text(padding)}-d{text(dilation)}-g{groups}"
                + ("" if bias else "-nobias")
            )
            asked.append((kind, width, kernel, stride, padding, dilation, groups, bias))
        elif kind in ("max", "avg"):
            ceil = chance.random() < 0.5
            words.append(f"{kind}-k{text(kernel)}-s{text(stride)}-p{text(padding)}" + ("-ceil" if ceil else ""))
            asked.append((kind, kernel, stride, padding, ceil))
        elif kind == "linear":
            width = chance.choice((4, 10))
            words.append(f"linear-{width}")
            asked.append((kind, width))
        else:
            words.append(kind)
            asked.append((kind,))
    return ".".join(words), shape, asked


def layers_of(shape: tuple[int, ...], asked: list[Any]) -> Iterator[tuple[nn.Module, torch.Size]]:
    """Torch's layers and what each makes; ends with the first that torch refuses."""
    value = torch.empty(1, *shape, device="meta")
    for kind, *rest in asked:
        if kind == "conv":
            width, kernel, stride, padding, dilation, groups, bias = rest
            options = {"dilation": dilation, "groups": groups, "bias": bias}
            make = lambda: nn.Conv2d(value.shape[1], width, kernel, stride, padding, **options)  # noqa: B023, E731
        elif kind in ("max", "avg"):
            kernel, stride, padding, ceil = rest
            make = lambda: MAKE[kind](kernel, stride, padding, ceil_mode=ceil)  # noqa: B023, E731
        elif kind == "norm":
            make = lambda: nn.BatchNorm2d(value.shape[1])  # noqa: B023, E731
        elif kind == "global":
            make = lambda: nn.AdaptiveAvgPool2d(1)  # noqa: E731
        else:
            make = lambda: nn.Sequential(nn.Flatten(), nn.Linear(value[0].numel(), rest[0]))  # noqa: B023, E731
        try:
            if kind not in ("linear",) and value.dim() != 4:
                raise ValueError("torch takes a batch of features for an image without a batch")
            layer = make().to("meta").eval()
            value = layer(value)
        except (ValueError, RuntimeError):
            return
        yield layer, value.shape


def expected_rows(shape: tuple[int, ...], asked: list[Any]) -> list[dict[str, Any]]:
    """What the page should make of the layers that torch takes; an empty row where torch refuses."""
    made = list(layers_of(shape, asked))
    if not made:
        return [{}]
    model = nn.Sequential(*(layer for layer, _ in made))
    rows, found = [row for row in analyze(model, shape).rows if row.type != "Flatten"], []
    for (_, output), row in zip(made, rows, strict=True):
        field = row.receptive_field
        found.append(
            {"shape": list(output[1:]), "params": row.params, "macs": row.macs, "field": field and plain(field)}
        )
    return found + ([{}] if len(made) < len(asked) else [])


def plain(field: Any) -> dict[str, list[float]]:
    """A field with a pair for each of its numbers."""
    sides = {name: getattr(field, name) for name in ("size", "jump", "offset")}
    return {
        name: [float(side) for side in (value if isinstance(value, tuple) else (value, value))]
        for name, value in sides.items()
    }


def page_rows(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The page's rows in the same form."""
    rows = []
    for row in found:
        if "error" in row:
            rows.append({})
            continue
        field = row["field"] and {
            name: [float(side) for side in (value if isinstance(value, list) else [value, value])]
            for name, value in row["field"].items()
        }
        rows.append({"shape": row["shape"], "params": row["params"], "macs": row["macs"], "field": field})
    return rows


@pytest.fixture(scope="module")
def stacks() -> list[tuple[str, list[dict[str, Any]]]]:
    """Random networks as words, with the rows that torch and course_lib give."""
    chance = random.Random(3)
    drawn = [random_network(chance) for _ in range(500)]
    return [(words, expected_rows(shape, asked)) for words, shape, asked in drawn]


def differing(live, stacks) -> list[tuple]:
    """The networks in which the page differs."""
    found = asked(live, f"(all) => all.map({MEASURE})", [words for words, _ in stacks])
    return [(words, rows, got) for (words, rows), got in zip(stacks, map(page_rows, found), strict=True) if got != rows]


def test_rows_of_random_networks_are_torch_s_and_the_library_s(live, stacks):
    opened(live, "stack")

    assert sum({} in rows for _, rows in stacks) > 100, "networks that torch refuses"
    assert sum({} not in rows for _, rows in stacks) > 100
    assert sum(len(rows) for _, rows in stacks) > 1000
    assert differing(live, stacks) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("params: 2 * channels", "params: channels"),
        ("A.through(before.field, size, size)", "A.through(before.field, size)"),
        ("{ groups, bias: layer.bias }", "{ groups }"),
        ("A.through(before.field, kernel, stride, padding, dilation)", "A.through(before.field, kernel, stride)"),
        ("padding, 1, layer.ceil)", "padding, 1, false)"),
    ],
)  # fmt: skip
def test_a_mistake_is_found(live, stacks, right, wrong):
    with mistake(live, "stack_network.js", right, wrong):
        opened(live, "stack")
        found = differing(live, stacks[:200])

    assert found != []


@pytest.fixture(scope="module")
def presets() -> dict[str, dict[str, str]]:
    return networks()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_counts_what_the_network_counts(live, presets, name):
    opened(live, "stack", f"?stack.network={name}")
    rows = asked(live, MEASURE, presets[name]["words"])
    with on_meta():
        counted = analyze(build(name), input_shape(name))

    assert sum(row["params"] for row in rows) == counted.params == COUNTS[name].parameters
    assert sum(row["macs"] for row in rows) == counted.macs
    total = live.page.locator(".live-stack tbody tr").last.inner_text()
    assert f"{counted.params:,}" in total
    assert f"{counted.macs:,}" in total
    assert live.page.locator(".live-stack details p").text_content() == f"course analyze {name}"


def differing_cells(live) -> list[tuple]:
    """The rows of LeNet-5's table that do not show what the analyzer counts."""
    rows = live.page.locator(".live-stack tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].slice(1, 6).map(cell => cell.textContent))"
    )
    counted = analyze(build("lenet5"), (1, 32, 32))
    expected = [
        ["x".join(map(str, row.output_shape[1:])), f"{row.params:,}", f"{row.macs:,}"]
        + ([str(row.receptive_field.size), str(row.receptive_field.jump)] if row.receptive_field else ["all", "–"])
        for row in counted.rows
        if row.type not in ("Tanh", "Flatten")
    ]
    expected.append(["", f"{counted.params:,}", f"{counted.macs:,}", "", ""])
    return [pair for pair in zip(rows, expected, strict=True) if pair[0] != pair[1]]


def test_the_table_shows_what_the_analyzer_counts(live):
    opened(live, "stack")

    assert differing_cells(live) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("total + (one[name] ?? 0)", "total + (one[name] ? 1 : 0)"),
        ("counted(row.params), counted(row.macs)", "counted(row.macs), counted(row.params)"),
        ("row.field ? short(row.field.jump)", "row.field ? short(row.field.size)"),
    ],
)
def test_a_mistake_in_the_table_is_found(live, right, wrong):
    with mistake(live, "stack.js", right, wrong):
        opened(live, "stack")
        found = differing_cells(live)

    assert found != []


@pytest.mark.parametrize(
    "words",
    [
        "1x32x32.conv-6-k5.avg-k2.conv-16-k5.avg-k2.linear-120.linear-84.linear-11",
        "3x31x48.conv-8-k3x5-s2x1-p1x0-nobias.norm.max-k3-s2-ceil.conv-8-k3-d2-g8.global.linear-10-nobias",
        "4x9x9.conv-4-k3.conv-4-k3",
    ],
)
def test_exported_code_is_the_network_that_the_page_counted(live, tmp_path, monkeypatch, words):
    opened(live, "stack", f"?stack.network={words}")
    rows = asked(live, MEASURE, words)
    code = live.page.locator(".live-stack pre").text_content()
    (tmp_path / f"network_{abs(hash(words))}.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    subject = find_subject(f"network_{abs(hash(words))}:network", words.split(".")[0])
    counted = analyze(subject.model, subject.input_shapes)

    assert counted.params == sum(row["params"] for row in rows)
    assert counted.macs == sum(row["macs"] for row in rows)
    assert list(counted.rows[-1].output_shape[1:]) == rows[-1]["shape"]
    weighted = [word for word in words.split(".")[1:] if word.startswith(("conv", "linear"))]
    assert sum(isinstance(module, nn.ReLU) for module in subject.model.modules()) == len(weighted) - 1
    command = live.page.locator(".live-stack details p").text_content()
    assert command.endswith(f"course analyze my_network:network --input {words.split('.')[0]}")


def said(live) -> str:
    return live.page.locator(".live-stack .live-says").inner_text()


def test_at_224_pixels_alexnet_s_first_layer_leaves_a_row_over(live):
    opened(live, "stack", "?stack.network=alexnet")
    assert "all divides" in said(live)

    live.page.get_by_label("Input: channels x height x width").fill("3x224x224")
    live.page.keyboard.press("Enter")

    assert "1 row and 1 column of its padded input lie beyond the last window" in said(live)
    assert "stack.network=3x224x224." in live.page.url


def test_layers_are_added_changed_moved_and_removed_by_keyboard(live):
    opened(live, "stack")
    live.page.get_by_role("radio").first.focus()
    live.page.keyboard.press("ArrowDown")
    assert live.page.evaluate("document.activeElement.value") == "2"
    for name in ("Add a layer after it", "Move it up"):
        live.page.get_by_role("button", name=name).focus()
        live.page.keyboard.press("Enter")
    live.page.get_by_label("Channels", exact=True).fill("7")
    live.page.get_by_label("Kernel", exact=True).fill("5x3")
    live.page.keyboard.press("Tab")
    words = "() => new URLSearchParams(location.search).get('stack.network')"
    assert live.page.evaluate(words).startswith("1x32x32.conv-6-k5.conv-7-k5x3.avg-k2.conv-16-k5.")

    live.page.get_by_role("button", name="Remove it").focus()
    live.page.keyboard.press("Enter")
    assert live.page.evaluate(words) is None, "LeNet-5 again"
    assert live.page.get_by_label("Network", exact=True).input_value() == "lenet5"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?stack.network=3x8x8.conv-4-k9", "Layer 1 does not fit: height: kernel does not fit: effective size 9"),
        ("?stack.network=3x8x8.linear-4.conv-4-k1", "Layer 2 does not fit: conv needs an image, and here are 4"),
        ("?stack.network=3x8x8.conf-4-k1", 'The address holds no network: no layer is called "conf"; there are:'),
        ("?stack.network=3x8.conv-4-k1", "The address holds no network: the input must be channels x height"),
        ("?stack.network=0x8x8.conv-4-k1", "Layer 1 does not fit: in_channels must be an integer >= 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(live, query, words):
    opened(live, "stack", query)

    assert words in said(live)


def test_a_wrong_entry_changes_nothing_and_is_said(live):
    opened(live, "stack")
    live.page.get_by_label("Kernel", exact=True).fill("five")
    live.page.keyboard.press("Tab")

    assert 'Not changed: Kernel must be a whole number, or two joined by x, got "five"' in said(live)
    assert live.page.get_by_label("Kernel", exact=True).input_value() == "5"


def test_the_field_of_the_middle_pixel_is_described(live):
    opened(live, "stack", "?stack.network=vgg16&stack.layer=3")
    # Two 3x3 convolutions, padded, and a 2x2 pooling: 6 pixels, 2 apart. Output pixel 55 starts at 55 * 2 - 2 = 108.
    caption = live.page.locator(".live-stack figcaption").inner_text()
    assert "output pixel (55, 55) is rows 108 to 113 and columns 108 to 113" in caption
