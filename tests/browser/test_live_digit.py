"""Draw a digit against torch: every activation, the answers, the image that strokes become, and the page's controls."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from live_page import asked, mistake, opened

from course_lib.data import load
from course_lib.data.prepared import load_prepared
from course_lib.models import build
from course_suite.live.weights import read

pytestmark = pytest.mark.browser

SETS = {"mnist": "lenet5_tanh_mnist", "shifted": "lenet5_tanh_mnist_shifted", "digits": "lenet5_tanh_digits"}
LAYERS = {"c1": "c1_squash", "s2": "s2", "c3": "c3_squash", "s4": "s4", "c5": "c5_squash", "f6": "f6_squash"}

FORWARD = """async ([set, images]) => {
  const data = await course.load(`lenet_${set}`);
  return images.map((pixels) => {
    const found = course.lenet.forward(data, pixels);
    const flat = ([name, value]) => [name, Array.from(value.values instanceof Float64Array ? value.values : value)];
    return Object.fromEntries(Object.entries(found).map(flat));
  });
}"""

SCORES = """async ([set, images]) => {
  const data = await course.load(`lenet_${set}`);
  return images.map((pixels) => Array.from(course.lenet.forward(data, pixels).scores));
}"""


@cache
def network(name: str) -> tuple[torch.nn.Module, list[float]]:
    """The network with the recorded weights, in double precision, and the training images' mean and deviation."""
    tensors, origin = read(SETS[name])
    model = build("lenet5").double().eval()
    model.load_state_dict({key: tensor.double() for key, tensor in tensors.items()})
    return model, origin["stats"]


def by_torch(name: str, pixels: torch.Tensor) -> list[dict[str, torch.Tensor]]:
    """What each layer makes of images (N, 1, 32, 32) of uint8."""
    model, (mean, std) = network(name)
    value, found = (pixels.double() - 255 * mean) / (255 * std), {}
    with torch.no_grad():
        for layer, module in model.named_children():
            value = module(value)
            found[layer] = value
    kept = {short: found[layer] for short, layer in LAYERS.items()} | {"scores": found["output"]}
    return [{short: values[i].flatten() for short, values in kept.items()} for i in range(len(pixels))]


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    """Test digits and noise, (N, 1, 32, 32), uint8."""
    digits = load_prepared("digits", resize=24, pad=32).test.images[:30]
    noise = torch.randint(0, 256, (5, 1, 32, 32), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    return torch.cat([digits, noise])


def worst(live, name: str, images: torch.Tensor) -> float:
    """The largest difference of any activation between the page and torch."""
    found = asked(live, FORWARD, [name, images.flatten(1).tolist()])
    gaps = [
        (torch.tensor(got[layer], dtype=torch.float64) - expected).abs().max().item()
        for got, row in zip(found, by_torch(name, images), strict=True)
        for layer, expected in row.items()
    ]
    return max(gaps)


@pytest.mark.parametrize("name", SETS)
def test_every_activation_is_torch_s(live, images, name):
    opened(live, "digit")

    assert worst(live, name, images) <= 1e-5


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("weight[tap + v] * values[pixel + v]", "weight[tap + 4 - v] * values[pixel + v]"),
        ("values[corner + side + 1]) / 4", "values[corner + side + 1]) / 2"),
        ("(pixel - 255 * mean) / (255 * std)", "pixel / 255"),
        ("2 ** (exponent - 15) * (1 + fraction / 1024)", "2 ** (exponent - 15)"),
        ('w["f6.weight"], w["f6.bias"]).map(Math.tanh)', 'w["f6.weight"], w["f6.bias"])'),
    ],
)
def test_a_mistake_in_the_network_is_found(live, images, right, wrong):
    with mistake(live, "lenet.js", right, wrong):
        opened(live, "digit")
        gap = worst(live, "digits", images[:3])

    assert gap > 1e-5


def right_answers(live, name: str, pixels: torch.Tensor, labels: torch.Tensor) -> int:
    """How many images the page names rightly; each answer is torch's."""
    answers = torch.tensor(asked(live, SCORES, [name, pixels.flatten(1).tolist()])).argmax(1)
    expected = torch.stack([row["scores"] for row in by_torch(name, pixels)]).argmax(1)

    assert torch.equal(answers, expected)
    return int((answers == labels).sum())


def test_the_accuracy_of_the_weights_is_the_one_that_they_carry(live):
    opened(live, "digit")
    test = load_prepared("digits", resize=24, pad=32).test

    right = right_answers(live, "digits", test.images, test.labels)
    assert right / len(test) == pytest.approx(read(SETS["digits"])[1]["test_accuracy"], abs=1e-12)


@pytest.mark.data
@pytest.mark.parametrize("name", ["mnist", "shifted"])
def test_a_thousand_answers_on_mnist_are_torch_s(live, name):
    if not Path(os.environ.get("COURSE_DATA", ""), "MNIST").is_dir():
        pytest.skip("needs MNIST in COURSE_DATA")
    opened(live, "digit")
    test = load("mnist").test
    pixels = F.pad(test.images[:1000], (2, 2, 2, 2))

    assert right_answers(live, name, pixels, test.labels[:1000]) > 960


def ink_by_numpy(strokes: list[list[list[float]]]) -> np.ndarray:
    """The image of strokes, (32, 32), from the rule: longer side 20 with a pen of radius 1.1, mass in the middle."""
    radius, middle = 1.1, 15.5
    points = np.array([point for stroke in strokes for point in stroke], dtype=float)
    low, high = points.min(0), points.max(0)
    longest = (high - low).max()
    scale = (20 - 2 * radius) / longest if longest else 0.0
    columns, rows = np.meshgrid(np.arange(32.0), np.arange(32.0))

    def coverage(offset: np.ndarray) -> np.ndarray:
        ink = np.zeros((32, 32))
        for stroke in strokes:
            path = np.array(stroke, dtype=float) * scale + offset
            for start, end in zip(np.concatenate([path[:1], path[:-1]]), path, strict=True):
                along = end - start
                length = along @ along
                share = ((columns - start[0]) * along[0] + (rows - start[1]) * along[1]) / (length or 1.0)
                share = np.clip(share, 0, 1) if length else np.zeros_like(share)
                gap = np.hypot(columns - start[0] - share * along[0], rows - start[1] - share * along[1])
                ink = np.maximum(ink, np.clip(radius + 0.5 - gap, 0, 1))
        return ink

    offset = middle - scale * (low + high) / 2
    first = coverage(offset)
    centre = np.array([(first * columns).sum(), (first * rows).sum()]) / first.sum()
    return np.floor(255 * coverage(offset + middle - centre) + 0.5)


def examples(live) -> dict[str, Any]:
    """The strokes that are drawn for the reader, and their images."""
    return asked(
        live,
        """() => Object.fromEntries(Object.entries(course.ink.EXAMPLES).map(([name, text]) => {
          const strokes = course.ink.read(text);
          return [name, { strokes, image: course.ink.image(strokes), again: course.ink.write(strokes) === text }];
        }))""",
    )


def differing_ink(live) -> list[str]:
    """The drawings whose image is not that of the rule, to one grey value."""
    return [
        name
        for name, found in examples(live).items()
        if np.abs(np.array(found["image"]).reshape(32, 32) - ink_by_numpy(found["strokes"])).max() > 1
    ]


def test_strokes_become_the_image_of_the_rule(live):
    opened(live, "digit")
    found = examples(live)

    assert differing_ink(live) == []
    assert set(found) > set("0123456789")
    assert all(drawing["again"] for drawing in found.values())
    for drawing in found.values():
        image = np.array(drawing["image"]).reshape(32, 32)
        rows, columns = np.nonzero(image > 127)
        assert max(np.ptp(rows), np.ptp(columns)) + 1 in (19, 20, 21)
        mass = image.sum()
        assert (image.sum(0) @ np.arange(32)) / mass == pytest.approx(15.5, abs=0.1)
        assert (image.sum(1) @ np.arange(32)) / mass == pytest.approx(15.5, abs=0.1)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("(LONGEST - 2 * RADIUS) / longest", "LONGEST / longest"),
        ("value + middle - centre[axis]", "value"),
        ("RADIUS + 0.5 - away", "RADIUS + 1.5 - away"),
    ],
)
def test_a_mistake_in_the_ink_is_found(live, right, wrong):
    with mistake(live, "ink.js", right, wrong):
        opened(live, "digit")
        found = differing_ink(live)

    assert found != []


def test_a_drawing_moved_by_pixels_is_the_image_moved_with_black_coming_in(live):
    opened(live, "digit")
    image = torch.tensor(examples(live)["4"]["image"]).reshape(32, 32)
    for right, down in ((3, 0), (0, -2), (-10, 10)):
        moved = asked(
            live, "([pixels, x, y]) => course.ink.shifted(pixels, x, y)", [image.flatten().tolist(), right, down]
        )
        padded = F.pad(image, (max(right, 0), max(-right, 0), max(down, 0), max(-down, 0)))
        expected = padded[max(-down, 0) : max(-down, 0) + 32, max(-right, 0) : max(-right, 0) + 32]
        assert torch.equal(torch.tensor(moved).reshape(32, 32), expected)


def said(live) -> str:
    """The answer, once it is there."""
    sentence = live.page.locator(".live-digit .live-says").last
    live.page.wait_for_function(
        "[...document.querySelectorAll('.live-digit .live-says')].at(-1).textContent.includes('LeNet-5 says')"
    )
    return sentence.inner_text()


def test_the_ten_digits_drawn_for_the_reader_are_read_after_mnist(live):
    opened(live, "digit")
    for digit in "0123456789":
        live.page.get_by_label("Drawn for you").select_option(digit)
        live.page.wait_for_function(
            f"[...document.querySelectorAll('.live-says')].at(-1).textContent.includes('says {digit},')"
        )


def test_a_one_is_drawn_by_keyboard_alone_and_moved_and_linked(live):
    opened(live, "digit")
    live.page.get_by_role("application").focus()
    for key in ["ArrowUp"] * 8 + ["Space"] + ["ArrowDown"] * 16 + ["Space"]:
        live.page.keyboard.press(key)
    assert "LeNet-5 says 1," in said(live)
    assert (
        "The pen is up, at 50 to the right and 82 down"
        in live.page.locator(".live-digit .live-says").first.inner_text()
    )
    live.page.get_by_label("Moved right, pixels: 0").focus()
    for _ in range(3):
        live.page.keyboard.press("ArrowRight")
    live.page.wait_for_function(
        "[...document.querySelectorAll('.live-says')].at(-1).textContent.includes('3 to the right')"
    )
    sentence, link = said(live), live.page.url
    live.page.goto("about:blank")

    opened(live, "digit", link.split("digit.html")[1])
    assert said(live) == sentence


def test_a_drawing_with_the_mouse_is_what_the_strokes_say(live):
    opened(live, "digit")
    box = live.page.get_by_role("application").bounding_box()
    mouse = live.page.mouse
    mouse.move(box["x"] + 60, box["y"] + 30)
    mouse.down()
    mouse.move(box["x"] + 140, box["y"] + 30, steps=8)
    mouse.move(box["x"] + 90, box["y"] + 170, steps=8)
    mouse.up()

    assert "LeNet-5 says 7," in said(live)
    assert re.search(r"digit\.ink=(\d{4}){5,}", live.page.url)
    live.page.get_by_role("button", name="Take back a stroke").click()
    assert "Draw a digit" in live.page.locator(".live-digit .live-says").last.inner_text()


def test_a_letter_gets_a_digit_s_name_and_other_weights_other_numbers(live):
    opened(live, "digit")
    live.page.get_by_label("Drawn for you").select_option("A")
    first = said(live)
    assert re.search(r"says \d, with a probability of", first)
    live.page.get_by_label("Weights trained on").select_option("digits")
    live.page.wait_for_function("document.querySelector('.digit-origin').textContent.includes('lenet5_tanh_digits')")

    second = said(live)
    assert second != first
    assert f"{100 * read(SETS['digits'])[1]['test_accuracy']:.1f}%" in second
    origin = live.page.locator(".digit-origin").inner_text()
    assert read(SETS["digits"])[1]["sha256"][:12] in origin


def gap_of_the_table(live) -> float:
    """The largest difference between the shown scores or shares, and torch's for the drawing 3 pixels to the right."""
    opened(live, "digit", "?digit.temperature=4&digit.weights=digits&digit.right=3")
    live.page.get_by_label("Drawn for you").select_option("5")
    said(live)
    image = torch.tensor(examples(live)["5"]["image"]).reshape(1, 1, 32, 32)
    scores = by_torch("digits", F.pad(image, (3, 0, 0, 0))[..., :32])[0]["scores"]
    shares = 100 * F.softmax(scores / 4, 0)
    rows = live.page.locator(".live-digit tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].slice(1, 3).map(cell => cell.textContent))"
    )
    shown = torch.tensor([[float(cell.replace("−", "-").rstrip("%")) for cell in row] for row in rows])
    return (shown - torch.stack([scores, shares], dim=1)).abs().max().item()


def test_the_table_is_softmax_of_torch_s_scores_at_the_temperature(live):
    assert gap_of_the_table(live) < 0.051


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("shifted(image(strokes), right, below)", "shifted(image(strokes), below, right)"),
        ("softmax(found.scores, temperature)", "softmax(found.scores)"),
        ("found.scores[digit].toFixed(2)", "found.scores[9 - digit].toFixed(2)"),
    ],
)
def test_a_mistake_in_what_is_shown_is_found(live, right, wrong):
    with mistake(live, "digit.js", right, wrong):
        gap = gap_of_the_table(live)

    assert gap > 0.051
