"""The kernel lab against torch: whole maps without tolerance, the window's products, and the pixels never read."""

from __future__ import annotations

import base64
import random
import re
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from live_page import asked, mistake, opened

from course_suite.live.photograph import photograph

pytestmark = pytest.mark.browser

CHANCE = random.Random(1)
OPTIONS = [
    {"stride": stride, "padding": padding, "dilation": dilation}
    for stride in (1, 2, 3, 8)
    for padding in (0, 1, 8)
    for dilation in (1, 2, 8)
]
CASES = [([CHANCE.randint(-99, 99) for _ in range(9)], options) for options in OPTIONS for _ in range(2)]

RUN = """([weights, options, name]) => {
  const picture = course.kernel.pictures[name](courseData.photograph);
  const map = course.kernel.map(picture, weights, options);
  const { rows, columns, unread } = course.kernel.reading(picture, map, options);
  return { ...map, rows, columns, unread };
}"""


def picture() -> torch.Tensor:
    """The photograph of the page, (H, W), float64."""
    data = photograph()
    pixels = torch.frombuffer(bytearray(base64.b64decode(data["pixels"])), dtype=torch.uint8)
    return pixels.reshape(data["height"], data["width"]).double()


def dot() -> torch.Tensor:
    """One bright pixel."""
    image = torch.zeros(9, 9, dtype=torch.float64)
    image[4, 4] = 1
    return image


def by_torch(image: torch.Tensor, weights: list[int], options: dict[str, int]) -> torch.Tensor:
    """The map, (H_out, W_out)."""
    kernel = torch.tensor(weights, dtype=torch.float64).reshape(1, 1, 3, 3)
    return F.conv2d(image[None, None], kernel, **options)[0, 0]


def read_by_torch(image: torch.Tensor, output: torch.Tensor, options: dict[str, int]) -> torch.Tensor:
    """Which pixels some window reads: the gradient of the sum of a map of ones is not 0 there."""
    leaf = torch.zeros_like(image, requires_grad=True)
    by_torch(leaf, [1] * 9, options).sum().backward()
    return leaf.grad > 0


def differing(live, chosen: list[tuple[list[int], dict[str, int]]] = CASES) -> list[Any]:
    """The cases in which the page's map or its unread pixels are not torch's."""
    image, found = picture(), []
    for weights, options in chosen:
        got = asked(live, RUN, [weights, options, "photograph"])
        expected = by_torch(image, weights, options)
        read = read_by_torch(image, expected, options)
        page_read = torch.tensor(got["rows"])[:, None] & torch.tensor(got["columns"])
        sound = (
            [got["height"], got["width"]] == list(expected.shape)
            and torch.equal(torch.tensor(got["sums"], dtype=torch.float64), expected.flatten())
            and torch.equal(page_read, read)
            and got["unread"] == int((~read).sum())
        )
        if not sound:
            found.append((weights, options))
    return found


def test_every_map_is_torch_s_without_tolerance(live):
    opened(live, "kernel")

    assert len(CASES) == 72
    assert differing(live) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("row < 0 || row >= picture.height", "row <= 0 || row >= picture.height"),
        ("const column = j * stride - padding + (tap % 3) * dilation;\n          if", "const column = j * stride; if"),
        ("sums[i * width + j] += weights[tap]", "sums[i * width + j] += weights[8 - tap]"),
        ("if (at >= 0 && at < size) read[at] = true;", "if (at > 0 && at < size) read[at] = true;"),
    ],
)
def test_a_mistake_is_found(live, right, wrong):
    with mistake(live, "kernel.js", right, wrong):
        opened(live, "kernel")
        found = differing(live, CASES[::9])

    assert found != []


def products(live) -> list[list[str]]:
    """The cells of the table of products."""
    return live.page.locator(".live-kernel tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.querySelectorAll('td')].map(cell => cell.textContent))"
    )


def said(live) -> str:
    return live.page.locator(".live-kernel .live-says").inner_text()


def test_the_window_moves_by_arrow_keys_and_shows_its_products_and_their_sum(live):
    opened(live, "kernel", "?kernel.row=3&kernel.column=5&kernel.stride=2&kernel.padding=1")
    live.page.get_by_role("application").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowUp", "ArrowUp"):
        live.page.keyboard.press(key)
    row, column = 2, 7
    weights, image = [-1, 0, 1] * 3, picture()
    window = image[2 * row - 1 : 2 * row + 2, 2 * column - 1 : 2 * column + 2].flatten().int().tolist()

    shown = [cell.replace("−", "-") for cells in products(live) for cell in cells]
    assert shown == [f"{w} × {x} = {w * x}" for w, x in zip(weights, window, strict=True)]
    value = int(by_torch(image, weights, {"stride": 2, "padding": 1})[row, column])
    assert said(live).replace("−", "-").startswith(f"Row {row}, column {column} of the map is {value:,}, the sum")
    assert "kernel.row=2" in live.page.url
    assert "kernel.column=7" in live.page.url


def test_a_kernel_turned_by_half_a_turn_is_the_textbook_s_convolution(live):
    opened(live, "kernel", "?kernel.weights=1_2_3_4_5_6_7_8_9&kernel.picture=dot")
    image, weights = dot(), list(range(1, 10))
    assert asked(live, RUN, [weights, {"stride": 1, "padding": 0, "dilation": 1}, "dot"])["sums"] == (
        by_torch(image, weights, {}).flatten().tolist()
    )

    live.page.get_by_role("button", name="Turn by half a turn").focus()
    live.page.keyboard.press("Enter")

    cells = live.page.locator(".kernel-grid input").evaluate_all("all => all.map(cell => Number(cell.value))")
    assert cells == weights[::-1]
    assert "kernel.weights=9_8_7" in live.page.url


def test_pixels_that_no_window_reads_are_counted(live):
    opened(live, "kernel", "?kernel.stride=8&kernel.dilation=2")
    image = picture()
    options = {"stride": 8, "padding": 0, "dilation": 2}
    read = read_by_torch(image, by_torch(image, [1] * 9, options), options)

    never = int((~read).sum())
    assert f"{never:,} of {image.numel():,} pixels" in said(live)
    assert re.search(rf"\({100 * never / image.numel():.1f}%\)", said(live))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?kernel.weights=1_2_3_4_5_6_7_8_100", "Each weight must be a whole number from −99 to 99."),
        ("?kernel.weights=1_2_3", "Each weight must be a whole number from −99 to 99."),
        ("?kernel.picture=dot&kernel.dilation=8", "height: kernel does not fit: effective size 17 > padded input 9"),
    ],
)
def test_what_cannot_be_computed_is_said(live, query, words):
    opened(live, "kernel", query)

    assert words in said(live)
    assert products(live) == []


def test_a_preset_is_chosen_by_keyboard_and_the_link_opens_the_same_state(live):
    opened(live, "kernel")
    live.page.get_by_label("Kernel", exact=True).focus()
    live.page.keyboard.type("out")
    live.page.get_by_label("Dilation: 1").focus()
    live.page.keyboard.press("ArrowRight")
    before = said(live)
    live.page.get_by_role("link", name="Link to this state").focus()
    link = live.page.get_by_role("link", name="Link to this state").evaluate("link => link.href")
    live.page.goto("about:blank")

    opened(live, "kernel", link.split("kernel.html")[1])
    assert said(live) == before
    assert live.page.get_by_label("Kernel", exact=True).input_value() == "outline"
    assert live.page.get_by_label("Dilation: 2").input_value() == "2"
