"""Records: the schema, the files, and what no longer fits. The record under test comes from a real short training."""

import copy
import json
import statistics

import pytest

from course_lib.complexity import build_meta
from course_lib.training import fit, seeded
from course_suite.cli import main
from course_suite.errors import UserError
from course_suite.recording import check_records
from course_suite.records import (
    RecordError,
    check_record,
    load_plan,
    load_records,
    model_hash,
    read_record,
    summarise,
    write_record,
)
from course_suite.records.adding import add_record

TRAIN = "train lenet5 --resize 28 --pad 32 --take 60 --epochs 2 --lr 0.02 --device cpu --seeds 2 --name small".split()


def course(*arguments):
    """Run the command; its exit status."""
    try:
        return main(list(arguments))
    except SystemExit as error:
        return error.code


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with one record, ``small.json``, and the checkpoints beside it."""
    path = tmp_path_factory.mktemp("records")
    arguments = [*TRAIN, "--work", str(path / "work"), "--out", str(path / "records")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["course", *arguments])
        assert course(*arguments) == 0
    return path


@pytest.fixture
def record(folder):
    """A copy of the record, to spoil."""
    return copy.deepcopy(read_record(folder / "records" / "small.json"))


def test_a_record_says_what_was_trained_and_where(record):
    assert record["model"]["params"] == 61_706
    assert record["data"]["title"] == "Digits, at 32x32, 60 images"
    assert record["data"]["num_train"] == 60
    assert record["hyperparameters"]["lr"] == 0.02
    assert record["hyperparameters"]["processes"] == 1
    assert [run["seed"] for run in record["runs"]] == [0, 1]
    for run in record["runs"]:
        assert len(run["history"]["train_loss"]) == 2
        assert run["images_per_second"] == pytest.approx(120 / run["wall_seconds"])
        assert 0 < run["peak_fraction"] < 1


def test_a_record_holds_what_fit_gives(record):
    from course_lib.data import load_prepared
    from course_lib.models import build

    data = load_prepared("digits", resize=28, pad=32, take=60)
    with seeded(1):
        model = build("lenet5")
    history = fit(model, data, epochs=2, lr=0.02, seed=1, device="cpu")
    assert record["runs"][1]["history"]["train_loss"] == pytest.approx(history.train_loss, rel=1e-5)
    assert record["runs"][1]["metrics"]["test_accuracy"] == history.test_accuracy[-1]


def test_the_summary_is_mean_and_sample_deviation(record):
    values = [run["metrics"]["test_accuracy"] for run in record["runs"]]
    assert summarise(record) == (2, statistics.mean(values), statistics.stdev(values))
    del record["runs"][1]
    assert summarise(record) == (1, values[0], None)


def test_a_good_record_has_no_problems(record, folder):
    assert check_record(record) == []
    assert check_records(folder / "records") == []


def test_another_network_is_found_by_its_hash(record):
    record["model"]["options"]["in_channels"] = 3
    record["model"]["input_shape"][0] = 3
    problems = check_record(record)
    assert any("the hash of lenet5 is now" in problem for problem in problems)
    assert any("the params of lenet5 is now 62006, recorded 61706" in problem for problem in problems)


def test_other_data_are_found_by_their_hash(record):
    record["data"]["sha256"] = "0" * 64
    assert check_record(record) == [
        "small: the data Digits, at 32x32, 60 images have another hash than the one recorded: train it again"
    ]
    assert check_record(record, sets=()) == []


def test_a_network_that_is_gone_is_a_problem(record):
    record["model"]["name"] = "lenet6"
    assert any("lenet6 cannot be built as recorded" in problem for problem in check_record(record))


@pytest.mark.parametrize(
    ("spoil", "place"),
    [
        (lambda record: record.pop("data"), "the top level: 'data' is a required property"),
        (lambda record: record["model"].update(params="many"), "model/params"),
        (lambda record: record.update(extra=1), "Additional properties are not allowed"),
        (lambda record: record["runs"][0]["metrics"].update(test_accuracy=1.2), "runs/0/metrics/test_accuracy"),
    ],
)
def test_the_schema_refuses_a_wrong_record(record, spoil, place, tmp_path):
    spoil(record)
    with pytest.raises(RecordError, match="breaks the schema") as caught:
        write_record(record, tmp_path)
    assert place in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "bad.json").write_text(json.dumps(record))
    with pytest.raises(RecordError, match=r"bad\.json breaks the schema"):
        load_records(tmp_path)


def test_half_a_file_is_refused(tmp_path):
    (tmp_path / "half.json").write_text('{"schema": 1,')
    with pytest.raises(RecordError, match=r"half\.json is not a record"):
        load_records(tmp_path)
    assert check_records(tmp_path)[0].startswith("half.json is not a record")


def test_the_hash_knows_the_network_and_not_its_weights():
    first, second = (build_meta("lenet5") for _ in range(2))
    assert model_hash(first, (1, 32, 32)) == model_hash(second, (1, 32, 32))
    assert model_hash(first, (1, 32, 32)) != model_hash(build_meta("lenet5", num_classes=9), (1, 32, 32))


def test_records_of_the_course_still_fit():
    assert check_records() == []


def test_an_earlier_run_is_not_overwritten(folder, capsys):
    files = ["--work", str(folder / "work"), "--out", str(folder / "again")]
    assert course(*TRAIN, *files) == 2
    assert "holds an earlier run: add --resume" in capsys.readouterr().err
    assert not (folder / "again").exists()


def test_finished_seeds_are_not_trained_again(folder):
    before = read_record(folder / "records" / "small.json")
    files = ["--work", str(folder / "work"), "--out", str(folder / "again")]
    assert course(*TRAIN, *files, "--resume") == 0
    assert read_record(folder / "again" / "small.json")["runs"] == before["runs"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "lenet6"], "unknown network 'lenet6'; known: lenet5"),
        (["train", "lenet5", "--data", "digit"], "--data must be one of digits"),
        (["train", "lenet5", "--resize", "28", "--pad", "20"], "--pad must be at least the images'"),
        (["train", "lenet5", "--lr", "-1", "--resize", "32"], "lr must be above 0 and finite, got -1"),
        (["train", "lenet5", "--criterion", "l2"], "'l2' is not one of 'cross-entropy', 'map', 'mse'"),
        (["train", "lenet5", "-p", "width", "3"], "lenet5 has no option 'width'"),
        (["train", "lenet5"], "input 8x8 is too small: it dies in 'c3' (Conv2d); smallest size that works: 32x32"),
    ],
)
def test_a_mistake_is_one_line(arguments, message, tmp_path, capsys):
    files = ["--work", str(tmp_path / "work"), "--out", str(tmp_path / "out")]
    assert course(*arguments, *files, "--device", "cpu") == 2
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert message in errors
    assert not (tmp_path / "out").exists()


def test_a_run_of_other_settings_is_refused(folder, capsys):
    files = ["--work", str(folder / "work"), "--out", str(folder / "again")]
    assert course(*TRAIN, "--batch-size", "7", *files, "--resume") == 2
    assert "is of another run: batch_size is 7, was 64" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda record: record["runs"][0]["metrics"].update(test_accuracy=1.0), "test_accuracy is 1, and the history"),
        (lambda record: record["runs"][0]["metrics"].update(test_loss=float("nan")), "runs/0/metrics/test_loss is nan"),
        (lambda record: record["runs"].pop(), r"seeds is [0], and the command says [0, 1]"),
        (lambda record: record["runs"][1].update(seed=0), "the seeds [0, 0] are not all different"),
        (lambda record: record["hyperparameters"].update(epochs=1), "has 2 values for 1 epochs"),
        (lambda record: record["runs"][0]["history"].update(train_loss=[0.5]), "train_loss has 1 values for 2 epochs"),
        (lambda record: record["hyperparameters"].update(lr=0.05), "lr is 0.05, and the command says 0.02"),
        (lambda record: record["hyperparameters"].update(flip=True), "flip is True, and the command says False"),
        (lambda record: record["provenance"].update(command="course train lenet5"), "and the command says"),
        (lambda record: record["provenance"].update(command="course build"), "the command is not a course train"),
        (lambda record: record["provenance"].update(commit="0" * 40), "the commit is all zeros"),
        (lambda record: record["data"].update(num_train=99_999), "num_train is 99,999, and the data have 60"),
        (lambda record: record["data"].update(num_test=100), "num_test is 100, and the data have 360"),
        (lambda record: record["runs"][1].update(images_per_second=9e9), "images_per_second is 9e+09, and the run's"),
        (lambda record: record["runs"][1].update(wall_seconds=9e9), "wall_seconds is 9e+09, and the epochs took"),
        (lambda record: record.update(name="large"), "name is 'large', and the command says 'small'"),
    ],
)
def test_a_record_that_contradicts_itself_is_found(record, spoil, message):
    spoil(record)
    assert any(message in problem for problem in check_record(record)), check_record(record)


def test_a_file_is_named_after_its_record(record, tmp_path):
    write_record(record, tmp_path).rename(tmp_path / "other.json")
    with pytest.raises(RecordError, match=r"other\.json holds the record 'small': a file is named after its record"):
        load_records(tmp_path)


def test_an_option_of_the_network_is_the_commands(record):
    record["provenance"]["command"] += " -p activation relu"
    assert "small: option activation is None, and the command says 'relu'" in check_record(record)


def test_checking_records_downloads_nothing(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "nothing"))
    monkeypatch.setattr("course_lib.data.mnist.download", lambda *_: pytest.fail("downloads"))
    assert check_records() == []
    assert not (tmp_path / "nothing").exists()


@pytest.fixture
def places(tmp_path, record):
    """A finished record, and the folders that it is to go to: no record, no plan, one entry that waits for it."""
    record["provenance"] |= {"clean": True, "commit": "1" * 40}
    plan, entries = tmp_path / "plan.yaml", tmp_path / "entries"
    plan.write_text("# The runs.\n- {name: other, what: x, chapter: ch-x, command: train lenet5}\n")
    entries.mkdir()
    (entries / "a.yaml").write_text(
        "- id: an-entry\n  model: LeNet-5\n  quantity: accuracy\n  stated: 99\n  source: a\n  location: T1\n"
        "  compute: {function: measured, record: other}\n  rule: spread\n  chapter: ch-x\n"
    )
    return {"file": write_record(record, tmp_path / "new"), "records": tmp_path / "records", "plan": plan,
            "entries": entries}  # fmt: skip


def add(places, *words):
    return add_record(
        places["file"], ["digits"], *words, records=places["records"], plan=places["plan"], entries=places["entries"]
    )


def test_a_record_is_moved_and_planned(places):
    written = add(places, "What it shows.", "ch-lenet5")

    assert [path.name for path in written] == ["small.json", "plan.yaml"]
    assert not places["file"].exists()
    assert load_records(places["records"])[0]["name"] == "small"
    assert load_plan(places["plan"])[1] == {
        "name": "small", "what": "What it shows.", "chapter": "ch-lenet5",
        "command": "train lenet5 --resize 28 --pad 32 --take 60 --epochs 2 --lr 0.02 --device cpu --seeds 2",
    }  # fmt: skip
    assert places["plan"].read_text().startswith("# The runs.\n")


def test_entries_that_show_the_record_are_filled(places, monkeypatch):
    path = places["entries"] / "a.yaml"
    path.write_text(path.read_text().replace("record: other", "record: small"))
    monkeypatch.setattr("course_suite.records.load_records", lambda: load_records(places["records"]))

    assert path in add(places, "What it shows.", "ch-lenet5")
    assert "verdict: measured" in path.read_text()
    assert "n: 2" in path.read_text()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ({"clean": False}, "made from files that are in no commit: commit them, then train it again"),
        ({"commit": None}, "made from files that are in no commit"),
    ],
)
def test_a_record_that_cannot_be_traced_is_refused(places, record, spoil, message):
    record["provenance"] |= spoil
    write_record(record, places["file"].parent)
    with pytest.raises(UserError, match=message):
        add(places, "What it shows.", "ch-lenet5")
    assert places["file"].exists()
    assert not places["records"].exists()


def test_a_record_without_a_place_in_the_plan_or_of_another_command_is_refused(places):
    with pytest.raises(UserError, match="the plan has no run called small: say what it shows with --what"):
        add(places)
    places["plan"].write_text("- {name: small, what: x, chapter: ch-x, command: train lenet5 --epochs 3}\n")
    with pytest.raises(UserError, match="and the plan says 'train lenet5 --epochs 3'"):
        add(places)
    places["plan"].write_text("- {name: small, what: x, chapter: ch-x, command: train lenet5 --resize 28}\n")
    assert [path.name for path in add(places)] == ["small.json"]


def test_a_file_that_is_no_record_is_one_line_and_status_2(tmp_path, capsys):
    (tmp_path / "a.json").write_text("{}")
    assert course("records", "add", str(tmp_path / "a.json")) == 2
    assert "a.json breaks the schema of records at " in capsys.readouterr().err
