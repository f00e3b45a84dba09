"""``course records verify``: a record is trained again and compared within its own spread."""

import copy

import pytest
from rich.console import Console
from scipy import stats

from course_suite import verifying
from course_suite.cli import main
from course_suite.errors import UserError
from course_suite.records import load_records, read_record
from course_suite.verifying import allowed_distance, judge, plan_of

TRAIN = "train lenet5 --resize 28 --pad 32 --take 60 --epochs 2 --lr 0.02 --device cpu --seeds 2 --name small".split()


def course(*arguments):
    try:
        return main(list(arguments))
    except SystemExit as error:
        return error.code


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    path = tmp_path_factory.mktemp("records")
    arguments = [*TRAIN, "--work", str(path / "work"), "--out", str(path)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["course", *arguments])
        assert course(*arguments) == 0
    return read_record(path / "small.json")


def shifted(record, points):
    """The record with each test error so much higher."""
    changed = copy.deepcopy(record)
    for run in changed["runs"]:
        run["metrics"]["test_accuracy"] -= points / 100
    return changed


def test_a_record_that_is_trained_again_gives_the_same_numbers(record, monkeypatch, tmp_path):
    monkeypatch.setattr(verifying, "load_records", lambda: [record])
    with (tmp_path / "printed").open("w") as file:
        assert verifying.verify_record(Console(file=file), "small", 1, "cpu", tmp_path / "work")
    assert "small: 1 of 2 seeds gave the same numbers, to the last digit" in (tmp_path / "printed").read_text()


def test_a_run_of_the_recorded_spread_verifies_and_another_does_not(record):
    errors = [100 * (1 - run["metrics"]["test_accuracy"]) for run in record["runs"]]
    allowed = allowed_distance(errors, 2, 360)
    good, words = judge(record, shifted(record, 0.99 * allowed))
    assert good
    assert f"points apart, and the recorded runs allow {allowed:.2f}" in words
    assert not judge(record, shifted(record, 1.01 * allowed))[0]
    assert not judge(record, shifted(record, -1.01 * allowed))[0]


def test_the_allowed_distance_is_the_t_interval_of_a_difference():
    spread = 0.2
    expected = stats.t.ppf(0.975, 2) * spread * (1 / 3 + 1 / 2) ** 0.5
    assert allowed_distance([1.0, 1.2, 1.4], 2, 10_000) == pytest.approx(expected)
    one_image = stats.t.ppf(0.975, 2) * 100 / 360 * (1 / 3 + 1) ** 0.5
    assert allowed_distance([1.0, 1.0, 1.0], 1, 360) == pytest.approx(one_image)
    with pytest.raises(UserError, match="one recorded run has no spread"):
        allowed_distance([1.0], 1, 360)


@pytest.mark.parametrize("name", ["lenet5_mnist", "nin_digits", "lenet5_1998_sdlm_first_weights_mnist"])
def test_the_plan_of_a_record_is_what_was_trained(name):
    record = next(record for record in load_records() if record["name"] == name)
    plan = plan_of(record, 2)
    assert plan.seeds == (0, 1)
    assert plan.settings.items() >= {k: v for k, v in record["hyperparameters"].items() if k != "processes"}.items()
    assert plan.options.items() <= record["model"]["options"].items()
    assert (plan.data, plan.pad, plan.take) == tuple(record["data"][key] for key in ("name", "pad", "take"))


def test_a_mistake_is_one_line(capsys):
    assert course("records", "--verify", "lenet6_mnist") == 2
    errors = capsys.readouterr().err
    assert (
        errors.startswith("course: unknown record 'lenet6_mnist'; known:") or "unknown record 'lenet6_mnist'" in errors
    )
    assert course("records", "verify", "lenet5_mnist", "--seeds", "9") == 2
    assert "lenet5_mnist has 3 seeds, got --seeds 9" in capsys.readouterr().err
