"""Conventions against the analyzer: every combination of switches, and which printed figures a count gives."""

from __future__ import annotations

from itertools import chain, combinations
from math import prod

import pytest
from live_page import asked, mistake, opened

from course_lib.complexity import analyze, build_meta
from course_lib.models import input_shape
from course_suite.live.conventions import NETWORKS

pytestmark = pytest.mark.browser

SWITCHES = ("linear", "bias", "norm", "activation", "sum", "heads")
STATES = list(chain.from_iterable(combinations(SWITCHES, count) for count in range(len(SWITCHES) + 1)))

COUNT = """([name, at, unit, states]) => {
  const form = courseData.conventions.find((network) => network.name === name).forms[at];
  return states.map((on) => course.convention.count(form, unit, on));
}"""


def rows_of(name: str, options: dict, training: bool) -> list[tuple[str, int, int]]:
    """For each call: what it counts as, its multiply-adds, and the values that it makes."""
    model = build_meta(name, **options)
    layers, rows = dict(model.named_modules()), []
    for row in analyze(model, input_shape(name), training=training).rows:
        values = prod(row.output_shape)
        kind = {"Linear": "linear", "BatchNorm2d": "norm", "add": "sum", "mul": "sum"}.get(row.type, "conv")
        kind = "activation" if row.type in ("ReLU", "ReLU6", "SiLU", "Sigmoid", "Tanh") else kind
        rows.append((kind, row.macs, values))
        if row.type in ("Conv2d", "Linear") and layers[row.name].bias is not None:
            rows.append(("bias", 0, values))
    return rows


def counted(rows: list[tuple[str, int, int]], unit: str, on: tuple[str, ...]) -> int:
    """The count, row by row."""
    multiply_add = 2 if unit == "operations" else 1
    total = 0
    for kind, macs, values in rows:
        if kind == "conv" or (kind == "linear" and kind in on):
            total += multiply_add * macs
        elif kind == "norm" and kind in on:
            total += multiply_add * values
        elif kind in on:
            total += values
    return total


@pytest.fixture(scope="module")
def forms() -> list[tuple[str, int, dict[bool, list]]]:
    """The rows of every form of every network, in use and in training."""
    return [
        (name, at, {training: rows_of(*form, training) for training in (False, True)})
        for name, (_, shapes) in NETWORKS.items()
        for at, form in enumerate(shapes.values())
    ]


def differing(live, forms) -> list[tuple]:
    """The states of the switches in which the page's count is not the sum over the rows."""
    found = []
    for name, at, rows in forms:
        for unit in ("macs", "operations"):
            got = asked(live, COUNT, [name, at, unit, STATES])
            expected = [counted(rows["heads" in on], unit, on) for on in STATES]
            found += [(name, at, unit, on) for on, a, b in zip(STATES, got, expected, strict=True) if a != b]
    return found


def test_every_combination_of_switches_is_the_sum_over_the_rows(live, forms):
    opened(live, "convention")

    assert len(forms) * 2 * len(STATES) > 1400
    assert differing(live, forms) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("norm: twice, bias: 1", "norm: 1, bias: 1"),
        ('unit === "operations" ? 2 : 1', "2"),
        ('on.includes("heads") && form.trained', "form.trained"),
        ("factor[name] * parts[name]", "parts[name]"),
    ],
)
def test_a_mistake_is_found(live, forms, right, wrong):
    with mistake(live, "convention.js", right, wrong):
        opened(live, "convention")
        found = differing(live, forms)

    assert found != []


@pytest.mark.parametrize(
    ("counted_", "text", "scale", "hit"),
    [
        (3_857_973_248, "3.9", 10**9, "rounded"),
        (3_857_973_248, "3.8", 10**9, "cut off"),
        (3_857_973_248, "4.1", 10**9, None),
        (724_406_816, "720", 10**6, "rounded"),
        (724_406_816, "725", 10**6, None),
        (300_774_272, "300", 10**6, "rounded"),
        (11_513_626_624, "11", 10**9, "cut off"),
        (385_814_752, "0.39", 10**9, "rounded"),
    ],
)
def test_a_hit_is_a_count_that_rounds_to_the_printed_digits_or_is_cut_off_to_them(live, counted_, text, scale, hit):
    opened(live, "convention")

    found = live.page.evaluate(
        "([count, printed]) => course.convention.hit(count, printed)", [counted_, {"text": text, "scale": scale}]
    )
    assert found == hit


def test_the_five_figures_of_resnet_50_are_hit_as_the_chapter_says(live):
    opened(live, "convention")
    rows = live.page.locator(".live-convention table").first.locator("tbody tr")

    def so_far() -> dict[str, str]:
        cells = rows.evaluate_all("rows => rows.map(row => [row.cells[0].textContent, row.cells[3].textContent])")
        return {printed.split()[0]: seen for printed, seen in cells}

    assert so_far() == {"3.8": "not yet", "4.1": "yes", "3.9": "not yet", "7.7": "not yet", "8.2": "not yet"}
    live.page.get_by_label("Unit").focus()
    live.page.keyboard.press("ArrowDown")
    live.page.get_by_label("Form").focus()
    live.page.keyboard.press("ArrowDown")
    live.page.get_by_label("Unit").focus()
    live.page.keyboard.press("ArrowUp")

    assert set(so_far().values()) == {"yes"}
    assert "convention.form=1" in live.page.url
    assert "3.8 billion (He 2016, cut off)" in live.page.locator(".live-convention .live-says").inner_text()


def test_two_printed_figures_come_from_no_state_of_the_switches_as_chapter_5_says(live):
    opened(live, "convention")
    never = asked(
        live,
        """() => courseData.conventions.flatMap((network) => network.printed
          .filter((figure) => !course.convention.reachable(network, figure))
          .map(({ text }) => [network.name, text]))""",
    )

    assert never == [["googlenet", "1550"], ["mobilenet_v1", "575"]]


def test_switches_by_keyboard_and_a_link(live):
    opened(live, "convention", "?convention.network=googlenet")
    live.page.get_by_label("auxiliary heads").focus()
    live.page.keyboard.press("Space")
    live.page.get_by_label("biases").focus()
    live.page.keyboard.press("Space")
    sentence = live.page.locator(".live-convention .live-says").inner_text()
    rows = rows_of("googlenet", {}, training=True)
    assert sentence.startswith(f"{counted(rows, 'macs', ('linear', 'bias', 'heads')):,} multiply-adds")
    link = live.page.url

    live.page.goto("about:blank")
    opened(live, "convention", link.split("convention.html")[1])
    assert live.page.locator(".live-convention .live-says").inner_text() == sentence


def test_only_a_network_with_heads_has_a_switch_for_them(live):
    opened(live, "convention", "?convention.network=vgg16")
    assert not live.page.get_by_label("auxiliary heads").is_visible()

    opened(live, "convention", "?convention.network=none")
    assert live.page.get_by_label("Network", exact=True).input_value() == "resnet50"
