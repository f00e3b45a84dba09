"""Train it here against torch in double precision: losses and weights step by step, for each kind of loop."""

from __future__ import annotations

import re

import pytest
import torch
import torch.nn.functional as F
from live_page import asked, mistake, opened

from course_lib.data import load

pytestmark = pytest.mark.browser

LOOPS = ("right", "keep", "sorted", "twice")
STEPS = 23

RUN = """([options, steps]) => {
  const run = course.trainer.run(course.trainer.dataOf(courseData.digits.train), options);
  const net = () => Object.fromEntries(Object.entries(run.net).map(([name, values]) => [name, Array.from(values)]));
  const start = net();
  return { start, steps: Array.from({ length: steps }, () => ({ ...run.step(), net: net() })) };
}"""


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def scaled(split) -> torch.Tensor:
    """The images as the page has them: grey values 0 to 16 as 0 to 1, (N, 1, 8, 8), float64."""
    return (split.images.double() * 16 / 255).round() / 16


def torch_net(values: dict[str, list[float]]) -> dict[str, torch.Tensor]:
    """The page's first weights as torch's parameters."""
    shapes = {"kernels": (8, 1, 3, 3), "kernelBias": (8,), "weights": (10, 72), "bias": (10,)}
    return {
        name: torch.tensor(values[name], dtype=torch.float64).reshape(shape).requires_grad_()
        for name, shape in shapes.items()
    }


def scores(net: dict[str, torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    maps = F.max_pool2d(F.relu(F.conv2d(images, net["kernels"], net["kernelBias"])), 2)
    return F.linear(maps.flatten(1), net["weights"], net["bias"])


def worst(live, digits, options: dict, steps: int = STEPS) -> float:
    """The largest difference of a loss or a weight in any step, with the page's own first weights and batches."""
    found = asked(live, RUN, [options, steps])
    net, gaps = torch_net(found["start"]), []
    images, labels = scaled(digits.train), digits.train.labels
    optimiser = torch.optim.SGD(net.values(), lr=options["rate"])
    for step in found["steps"]:
        if options["loop"] != "keep":
            optimiser.zero_grad()
        output = scores(net, images[step["chosen"]])
        output = F.softmax(output, 1) if options["loop"] == "twice" else output
        loss = F.cross_entropy(output, labels[step["chosen"]])
        loss.backward()
        optimiser.step()
        gaps.append(abs(loss.item() - step["loss"]))
        gaps += [
            (values.detach().flatten() - torch.tensor(step["net"][name], dtype=torch.float64)).abs().max().item()
            for name, values in net.items()
        ]
    return max(gaps)


@pytest.mark.parametrize("loop", LOOPS)
def test_each_step_is_torch_s(live, digits, loop):
    opened(live, "train")
    rate = 0.01 if loop == "keep" else 0.1

    assert worst(live, digits, {"rate": rate, "batch": 32, "seed": 3, "loop": loop}) <= 1e-12


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("if (values[at] <= 0) continue;", ""),
        ("(unit === labels[n] ? 1 : 0)) / images.length", "(unit === labels[n] ? 1 : 0))"),
        ("if (map[place] > map[places[at]]) places[at] = place", ""),
        ("gradient.kernelBias[k] += back;", ""),
        ("net[name][at] -= rate * gradient[name][at]", "net[name][at] -= rate * 1.0001 * gradient[name][at]"),
    ],
)
def test_a_mistake_is_found(live, digits, right, wrong):
    with mistake(live, "trainer.js", right, wrong):
        opened(live, "train")
        gap = worst(live, digits, {"rate": 0.1, "batch": 32, "seed": 3, "loop": "right"}, steps=4)

    assert gap > 1e-12


def test_an_epoch_takes_every_image_once_in_an_order_that_the_seed_repeats(live, digits):
    opened(live, "train")
    count = len(digits.train)
    options = {"rate": 0.1, "batch": 512, "seed": 1, "loop": "right"}
    one, same = (asked(live, RUN, [options, 6])["steps"] for _ in range(2))
    other = asked(live, RUN, [options | {"seed": 2}, 3])["steps"]
    by_class = asked(live, RUN, [options | {"loop": "sorted"}, 3])["steps"]
    first, second = ([n for step in part for n in step["chosen"]] for part in (one[:3], one[3:]))

    assert sorted(first) == sorted(second) == list(range(count))
    assert first != second
    assert one == same
    assert first != [n for step in other for n in step["chosen"]]
    labels = digits.train.labels[[n for step in by_class for n in step["chosen"]]].tolist()
    assert labels == sorted(digits.train.labels.tolist())


def said(live) -> str:
    return live.page.locator(".live-train .live-says").inner_text()


def shown_and_expected(live, digits) -> tuple[list[str], list[str]]:
    """After a step and the rest of an epoch by keyboard: what the page says, and what torch makes of it."""
    opened(live, "train", "?train.batch=128&train.seed=4")
    for name in ("One step", "One epoch"):
        live.page.get_by_role("button", name=name, exact=True).focus()
        live.page.keyboard.press("Enter")
    steps = -(-len(digits.train) // 128)
    found = asked(live, RUN, [{"rate": 0.1, "batch": 128, "seed": 4, "loop": "right"}, steps])["steps"]
    net = torch_net(found[-1]["net"])
    with torch.no_grad():
        right = (scores(net, scaled(digits.test)).argmax(1) == digits.test.labels).double().mean().item()
    mean = sum(step["loss"] for step in found) / steps
    live.page.locator(".live-train summary").first.click()
    row = live.page.locator(".live-train details tbody tr").first.inner_text().split()
    sentence = (
        f"Step {steps}, epoch 1: the loss of the last batch was {found[-1]['loss']:.3f}. "
        f"{100 * right:.1f}% of the test digits are right."
    )
    return [said(live), *row], [sentence, "1", f"{mean:.3f}", f"{100 * right:.1f}%"]


def test_by_keyboard_steps_and_epochs_and_what_is_shown_is_torch_s(live, digits):
    shown, expected = shown_and_expected(live, digits)

    assert shown == expected
    assert "train.epochs=1" in live.page.url


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("sums.reduce((a, b) => a + b) / sums.length", "sums[0]"),
        ("right: accuracy(current.net, test)", "right: accuracy(current.net, data)"),
        ("was ${number(lastStep.loss)}", "was ${number(sums[0])}"),
    ],
)
def test_a_mistake_in_what_is_shown_is_found(live, digits, right, wrong):
    with mistake(live, "train.js", right, wrong):
        shown, expected = shown_and_expected(live, digits)

    assert shown != expected


def test_a_link_opens_the_same_run_and_another_setting_starts_a_new_one(live):
    opened(live, "train", "?train.rate=0.3&train.epochs=3")
    sentence = said(live)
    opened(live, "train", "?train.rate=0.3&train.epochs=2")
    live.page.get_by_role("button", name="One epoch").click()
    assert said(live) == sentence

    live.page.get_by_label("The loop").select_option("twice")
    assert said(live).startswith("Not trained yet")
    earlier = live.page.get_by_role("region", name="Runs before this one").locator("tbody tr").inner_text()
    assert re.match(r"0\.3\s+32\s+0\s+as it should be\s+3\s", earlier)


def test_a_rate_that_is_too_large_ends_in_no_number_and_says_so(live):
    opened(live, "train", "?train.rate=10&train.loop=keep")
    live.page.get_by_role("button", name="Ten epochs").click()

    assert "The loss is no number any more" in said(live) or "of the test digits are right" in said(live)
    if "no number" in said(live):
        assert live.page.get_by_role("button", name="One step").is_disabled()


def test_a_state_that_no_control_has_is_the_usual_one(live):
    opened(live, "train", "?train.rate=7&train.batch=33&train.seed=99&train.loop=none&train.epochs=x")

    assert live.page.get_by_label("Learning rate: 0.1").count() == 1
    assert live.page.get_by_label("Batch size").input_value() == "32"
    assert said(live).startswith("Not trained yet")
