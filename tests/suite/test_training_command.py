"""``course train`` as a user meets it: what is refused before it trains, what is said, and what can be gone on with."""

import errno
import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from filelock import FileLock

from course_lib.training import device as devices
from course_lib.training import open_run
from course_suite import peak_memory, training_checks, training_runs, training_seeds
from course_suite.cli import main
from course_suite.records import read_record
from course_suite.records.consistency import inconsistencies

SMALL = "train lenet5 --pad 32 --take 60 --epochs 2 --batch-size 20"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """An empty folder, and no time for the peak of the machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(training_runs, "measured_peak", lambda *_: 1e10)


def course(command, monkeypatch=None):
    """The exit status of a command with its folders here."""
    words = [*shlex.split(command), "--work", "work", "--out", "out"]
    if monkeypatch:
        monkeypatch.setattr(sys, "argv", ["course", *words])
    return main(words)


def left_behind():
    """What is in the current folder, apart from locks."""
    return sorted(str(path) for path in Path().rglob("*") if path.is_file() and not path.name.endswith(".lock"))


# ---- refused in one line ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--device bogus", "--device must be auto, cpu, cuda, cuda:NUMBER or mps, got 'bogus'"),
        ("--optimizer rmsprop", "Invalid value for '--optimizer': "),
        ("--schedule linear", "Invalid value for '--schedule': "),
        ("--precision fp16", "Invalid value for '--precision': "),
        ("--criterion foo", "Invalid value for '--criterion': "),
        ("--mix cutout", "Invalid value for '--mix': "),
        ("--log xml", "Invalid value for '--log': "),
        ("--epochs 0", "Invalid value for '--epochs': "),
        ("--batch-size 0", "Invalid value for '--batch-size': "),
        ("--lr nan", "--lr must be above 0 and finite, got nan"),
        ("--momentum -1", "--momentum must be at least 0 and finite, got -1.0"),
        ("--label-smoothing 3", "--label-smoothing must be between 0 and 1, got 3.0"),
        ("--ema 3", "--ema must be between 0 and 1, such as 0.999, got 3.0"),
        ("--clip-norm 0", "--clip-norm must be above 0 and finite, got 0.0"),
        ("--patience 2 --hold-out 0", "--patience needs a validation split, to stop by: --hold-out 0.1 sets one aside"),
        ("--hold-out 2", "--hold-out must leave an image in each part of the 60, got 2.0"),
        ("--mix mixup --criterion mse", "--class-weights and mix are for cross-entropy"),
        ("--take 9999999", "--take must be between 1 and the 1437 images of the split, got 9999999"),
        ("--pad 4", "--pad must be at least the images' (8, 8), got (4, 4)"),
        ("--data foo", "--data must be one of digits, mnist"),
        ("-p depth 56", "lenet5 has no option 'depth': leave -p depth out"),
        ("-p num_classes 3", "model must score at least 10 classes, got 3"),
        ("--name MyRun", "--name must be small letters, digits, - and _, a letter or digit first; got 'MyRun'"),
        ("--name 'my run'", "--name must be small letters"),
        ("--name ../../evil", "--name must be small letters"),
    ],
)
def test_a_wrong_option_is_one_line_and_leaves_nothing(options, message, capsys):
    assert course(f"{SMALL} {options}") == 2
    err = capsys.readouterr().err
    assert err.startswith(f"course: {message}")
    assert err.count("\n") == 1
    assert left_behind() == []


def test_an_option_that_a_member_of_a_family_does_not_have_is_named(capsys):
    assert course("train resnet20 -p depth 56") == 2
    assert capsys.readouterr().err == "course: resnet20 has no option 'depth': leave -p depth out\n"


@pytest.mark.parametrize("option", ["--work", "--out"])
def test_a_folder_that_cannot_take_the_record_is_refused_before_training(option, capsys):
    Path("file").write_text("")
    words = [*shlex.split(SMALL), "--work", "work", "--out", "out", option, "file"]
    assert main(words) == 2
    assert capsys.readouterr().err.startswith(
        f"course: file cannot be written to (Not a directory): give {option} another"
    )
    assert left_behind() == ["file"]


def test_a_disk_that_is_too_full_is_refused_before_training(monkeypatch, capsys):
    monkeypatch.setattr(training_checks.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 2**20})())
    assert course(SMALL) == 2
    assert "work has 1 MiB free, and the checkpoints of lenet5 need 3 MiB: make room" in capsys.readouterr().err
    assert left_behind() == []


def test_a_full_disk_at_the_end_keeps_the_checkpoint(monkeypatch, capsys):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(training_seeds, "os", SimpleNamespace(getpid=full))
        assert course(SMALL) == 2
    assert "(No space left on device): make room, then go on with --resume" in capsys.readouterr().err
    assert course(f"{SMALL} --resume", monkeypatch) == 0
    assert read_record(Path("out/lenet5_digits.json"))["runs"][0]["seed"] == 0


# ---- what is said, and what is written -------------------------------------------------------------------------------


def test_a_run_says_what_it_has_and_each_epoch_in_a_line(monkeypatch, capsys):
    assert course(f"{SMALL} --seeds 2 --log csv", monkeypatch) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("digits: 10 classes, 60 training, 360 test images of 1x32x32")
    assert [line.partition(":")[0] for line in lines[1:]] == [
        "epoch 1 of 2", "epoch 2 of 2", "seed 0", "epoch 1 of 2", "epoch 2 of 2", "seed 1", "2 runs",
        f"wrote {Path('out/lenet5_digits.json')}",
    ]  # fmt: skip
    record = read_record(Path("out/lenet5_digits.json"))
    assert inconsistencies(record) == []
    table = Path("work/lenet5_digits/seed-1.csv").read_text().splitlines()
    assert table[0].split(",")[:2] == ["epoch", "train_loss"]
    assert float(table[2].split(",")[1]) == pytest.approx(record["runs"][1]["history"]["train_loss"][1], rel=1e-5)


def test_a_recipe_reaches_the_run_and_the_record(monkeypatch):
    options = (
        "--epochs 9 --patience 1 --lr 1e-9 --clip-norm 1 --ema 0.9 --class-weights balanced --mix cutmix --parts 2"
    )
    assert course(f"{SMALL} {options} --optimizer adam --schedule constant", monkeypatch) == 0
    record = read_record(Path("out/lenet5_digits.json"))
    assert record["data"]["hold_out"] == 0.1
    assert record["data"]["num_train"] == 54
    assert len(record["runs"][0]["history"]["validation_loss"]) <= 9
    assert {name: record["hyperparameters"][name] for name in ("patience", "mix", "parts", "class_weights")} == {
        "patience": 1, "mix": "cutmix", "parts": 2, "class_weights": "balanced",
    }  # fmt: skip
    assert inconsistencies(record) == []
    about = open_run("work/lenet5_digits")[1].settings["about"]
    assert (about["network"], about["steps"]["pad"]) == ("lenet5", 32)


def test_bfloat16_without_its_instructions_is_said(monkeypatch, capsys):
    with monkeypatch.context() as patched:
        patched.setattr(training_runs, "slow_bf16", lambda _: devices.SLOW)
        assert course(f"{SMALL} --precision bf16 --epochs 1") == 0
    assert "some ten times slower than float32" in capsys.readouterr().out.splitlines()[1]


@pytest.mark.parametrize(
    ("machine", "supported", "said"), [("x86_64", False, True), ("x86_64", True, False), ("arm64", False, False)]
)
def test_bfloat16_is_slow_where_the_processor_has_no_instructions_for_it(monkeypatch, machine, supported, said):
    monkeypatch.setattr(devices.platform, "machine", lambda: machine)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: supported)
    assert (devices.slow_bf16("cpu") is not None) == said
    assert devices.slow_bf16("cuda") is None


def test_the_peak_of_memory_is_the_runs_own():
    before = peak_memory.peak_memory_mib("cpu")
    ballast = torch.ones(2**26)  # 256 MiB
    assert peak_memory.peak_memory_mib("cpu") > before + 100
    del ballast
    peak_memory.reset_peak("cpu")
    if peak_memory.CLEAR.exists():
        assert peak_memory.peak_memory_mib("cpu") < before + 100


def test_a_command_outside_the_course_works_in_its_folder(monkeypatch):
    from course_suite import project

    assert project.build_folder() == project.find_project().build
    monkeypatch.setattr(project, "find_project", lambda: (_ for _ in ()).throw(project.UserError("none")))
    assert project.build_folder() == Path("_build")


# ---- stopped, damaged, gone on with ----------------------------------------------------------------------------------


def test_seeds_that_are_finished_are_not_trained_again_and_a_run_becomes_longer(monkeypatch, capsys):
    assert course(f"{SMALL} --seeds 2") == 0
    capsys.readouterr()
    assert course(f"{SMALL} --seeds 2") == 2
    assert "work/lenet5_digits holds an earlier run: add --resume" in capsys.readouterr().err
    assert course(f"{SMALL} --seeds 3 --resume") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]] == [
        "seed", "seed", "epoch", "epoch", "seed", "3", "wrote",
    ]  # fmt: skip
    assert course(f"{SMALL} --epochs 3 --resume", monkeypatch) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("epoch 3 of 3: ")
    record = read_record(Path("out/lenet5_digits.json"))
    assert len(record["runs"][0]["history"]["train_loss"]) == 3
    assert course(f"{SMALL} --resume") == 2
    assert "epochs is 2, was 3" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            lambda text: text.replace('"test_accuracy": 0.', '"test_accuracy": 1.', 1),
            "is not as it was written: delete",
        ),
        (lambda text: text.replace('"epochs": 2', '"epochs": 1', 1), "is not as it was written: delete"),
        (lambda text: text[: len(text) // 2], "cannot be read: delete it, and --resume trains that seed again"),
        (lambda _: "[]", "cannot be read: delete it"),
    ],
)
def test_a_seed_file_that_was_changed_does_not_count(edit, message, capsys):
    assert course(SMALL) == 0
    path = Path("work/lenet5_digits/seed-0.json")
    text = path.read_text()
    assert edit(text) != text
    path.write_text(edit(text))
    assert course(f"{SMALL} --resume") == 2
    assert f"{path} {message}" in capsys.readouterr().err
    path.unlink()
    assert course(f"{SMALL} --resume") == 0
    assert json.loads(path.read_text())["run"]["metrics"] == json.loads(text)["run"]["metrics"]


def test_a_name_that_is_at_work_is_refused(capsys):
    Path("work").mkdir()
    with FileLock("work/.lenet5_digits.lock"):
        assert course(SMALL) == 2
    assert (
        "another course train is at work in work/lenet5_digits: wait for it, or give --name" in capsys.readouterr().err
    )


def hears_interrupts():
    """Undo what a shell does to a job in the background: it lets the job ignore interrupts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.posix
def test_an_interrupt_says_what_is_kept_and_how_to_go_on():
    words = [*shlex.split(SMALL), "--epochs", "100000", "--work", "work", "--out", "out"]
    process = subprocess.Popen(
        [sys.executable, "-m", "course_suite", *words],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=hears_interrupts,
    )
    assert "training" in process.stdout.readline()
    assert process.stdout.readline().startswith("epoch 1 of 100000")
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=60)[0]
    assert process.returncode == 130
    assert rest.splitlines()[-1] == "stopped; work/lenet5_digits keeps what is finished: go on with --resume"
    assert open_run("work/lenet5_digits")[1].settings["epochs"] == 100000
