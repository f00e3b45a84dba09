"""Depth and seeds against the records: every line at every position, and what the tables and the sentence say."""

from __future__ import annotations

from decimal import Decimal

import pytest
from live_page import asked, mistake, opened

from course_suite.records import load_records

pytestmark = pytest.mark.browser

CURVES = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")
ALL_LINES = """([curve, seed]) => course.depth.linesOf(courseData.runs, curve, seed)
  .map(({ record, run, values }) => [record.name, run.seed, values])"""


@pytest.fixture(scope="module")
def records():
    return {record["name"]: record for record in load_records()}


def expected_lines(records, curve: str, seed: str) -> list[list]:
    return [
        [name, run["seed"], run["history"][curve]]
        for name, record in records.items()
        for run in record["runs"]
        if seed in ("all", str(run["seed"]))
    ]


def differing(live, records) -> list[tuple[str, str]]:
    """Curves and seeds whose lines are not those of the records."""
    return [
        (curve, seed)
        for curve in CURVES
        for seed in ("all", "0", "1", "2")
        if asked(live, ALL_LINES, [curve, seed]) != expected_lines(records, curve, seed)
    ]


def test_every_line_is_the_record_s(live, records):
    opened(live, "depth")

    assert differing(live, records) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('seed === "all" || String(run.seed) === seed', "true"),
        ("values: run[curve]", "values: run.train_loss"),
        ("written(name, run[name].at(-1))", "written(name, run[name].at(0))"),
        ("(at in values ? written(curve.value, values[at]) ", "(at in values ? written(curve.value, values[0]) "),
    ],
)
def test_a_mistake_is_found(live, records, right, wrong):
    with mistake(live, "depth.js", right, wrong):
        opened(live, "depth")
        found = differing(live, records) or differing_tables(live, records, 20, "test_loss", "all")

    assert found


def written(curve: str, value: float) -> str:
    """A number as the page writes it: two significant digits of a small loss, two decimals of a large one."""
    if curve.endswith("accuracy"):
        return f"{100 * value:.1f}%"
    if value >= 0.1:
        return f"{value:.2f}"
    digits = -Decimal(f"{value:.1e}").adjusted() + 1
    return f"{value:.{digits}f}"


def table(live, caption: str) -> list[list[str]]:
    rows = live.page.get_by_role("region", name=caption, include_hidden=True).locator("tbody tr")
    return rows.evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.textContent))")


def differing_tables(live, records, depth: int, curve: str, seed: str) -> list[str]:
    """The tables that do not show what the records hold for one position."""
    live.page.get_by_label("Curve", exact=True).select_option(curve)
    live.page.get_by_label("Runs", exact=True).select_option(seed)
    chosen = [records[f"plain{depth}_digits"], records[f"resnet{depth}_digits"]]
    runs = [(record, run) for record in chosen for run in record["runs"] if seed in ("all", str(run["seed"]))]
    ends = [
        [f"{record['model']['name']}, seed {run['seed']}"]
        + [written(name, run["history"][name][-1]) for name in CURVES]
        for record, run in runs
    ]
    lines = [run["history"][curve] for _, run in runs]
    epochs = [[str(at + 1), *(written(curve, line[at]) for line in lines)] for at in range(len(lines[0]))]
    return [
        caption
        for caption, rows in (("After the last epoch", ends), ("By epoch", epochs))
        if table(live, caption) != rows
    ]


@pytest.mark.parametrize("position", range(4))
def test_the_tables_are_the_records_at_every_depth_reached_by_arrow_keys(live, records, position):
    opened(live, "depth")
    live.page.locator(".live-depth input[type=range]").focus()
    for _ in range(position):
        live.page.keyboard.press("ArrowRight")
    depth = (20, 32, 44, 56)[position]

    assert live.page.get_by_label(f"Depth: {depth} layers").count() == 1
    for curve in CURVES:
        for seed in ("all", "1"):
            assert differing_tables(live, records, depth, curve, seed) == []
    assert ("depth.depth=" in live.page.url) == (depth != 20)


def said(live) -> str:
    return live.page.locator(".live-depth .live-says").inner_text()


def test_one_seed_asks_for_a_guess_and_all_seeds_answer(live, records):
    opened(live, "depth", "?depth.depth=32&depth.curve=test_accuracy")
    one = records["plain32_digits"]["runs"][0]["history"]["test_accuracy"][-1]
    assert f"plain32 {100 * one:.1f}%" in said(live)
    assert "Guess before you show all" in said(live)

    live.page.get_by_label("Runs", exact=True).select_option("all")
    ends = [run["history"]["test_accuracy"][-1] for run in records["plain32_digits"]["runs"]]
    assert f"plain32 {100 * min(ends):.1f}% to {100 * max(ends):.1f}%" in said(live)
    assert "depth.seed=all" in live.page.url


def test_any_record_can_be_shown(live, records):
    opened(live, "depth", "?depth.networks=mnist_cnn_digits&depth.seed=all")

    assert not live.page.locator(".live-depth input[type=range]").is_visible()
    assert len(table(live, "After the last epoch")) == len(records["mnist_cnn_digits"]["runs"])


def test_a_state_that_no_record_has_is_the_usual_one(live):
    opened(live, "depth", "?depth.networks=none&depth.curve=none&depth.depth=1&depth.seed=99")

    assert live.page.get_by_label("Depth: 20 layers").count() == 1
    assert said(live).startswith("Training loss after")
