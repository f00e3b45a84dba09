"""A network from its checkpoint: what it sees in files, how good it is, and its exports."""

import csv
import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from course_lib.data import load_prepared
from course_lib.models import build
from course_lib.training import evaluate, load_checkpoint
from course_suite import training_runs
from course_suite.cli import main
from course_suite.trained import Trained

RUN = "work/lenet5_digits"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder in which a LeNet-5 was trained for a little while on padded digits."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(training_runs, "measured_peak", lambda *_: 1e10)
        options = "--resize 24 --pad 32 -p activation relu -p pooling max --take 500 --epochs 6 --batch-size 32"
        assert main(["train", "lenet5", *options.split(), "--work", "work", "--out", "out"]) == 0
    return folder


@pytest.fixture
def here(trained, monkeypatch, capsys):
    """In that folder."""
    monkeypatch.chdir(trained)
    capsys.readouterr()
    return trained


def by_hand():
    """The network and the test images, put together without the command."""
    network = build("lenet5", activation="relu", pooling="max")
    load_checkpoint(network, f"{RUN}/seed-0")
    data = load_prepared("digits", resize=24, pad=32, take=500)
    return network, data, evaluate(network, data.test)


def test_predict_says_what_evaluate_finds(here, capsys, tmp_path):
    _, data, expected = by_hand()
    for number in range(5):
        Image.fromarray(data.test.images[number, 0, 4:28, 4:28].numpy()).save(tmp_path / f"{number}.png")
    assert main(["predict", RUN, str(tmp_path), "--csv", "table.csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    with Path("table.csv").open() as file:
        rows = list(csv.DictReader(file))
    for number, (line, row) in enumerate(zip(lines, rows, strict=True)):
        said, sure = int(expected.predictions[number]), expected.probabilities[number].max().item()
        assert line.startswith(f"{tmp_path}/{number}.png: {said} {sure:.1%} (")
        assert (row["image"], row["class_1"]) == (f"{tmp_path}/{number}.png", str(said))
        assert float(row["probability_1"]) == pytest.approx(sure, abs=1e-5)


def test_dark_on_light_is_inverted_on_request(here, tmp_path):
    _, data, _ = by_hand()
    image = data.test.images[0, 0, 4:28, 4:28]
    Image.fromarray((255 - image).numpy()).save(tmp_path / "dark.png")
    found = Trained.load(Path(RUN)).pixels(tmp_path / "dark.png", invert=True)
    assert torch.equal(found, data.test.images[0])


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_said(here, capsys, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    Image.new("RGB", (9, 30)).save(tmp_path / "b.png")
    assert main(["predict", RUN, str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{tmp_path}/b.png: ")
    assert lines[1].startswith(f"{tmp_path}/a.png is no image that Pillow reads")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["predict", "nowhere", "x.png"], "folder must hold a checkpoint, epoch-0001 or later; nowhere has none"),
        (["predict", RUN, "x.png"], "x.png does not exist"),
        (["predict", RUN, "out"], "out holds no image"),
        (["predict", RUN, RUN, "--device", "bogus"], f"{RUN} holds no image"),
        (["evaluate", RUN, "--device", "bogus"], "device must be auto, cpu, cuda, cuda:NUMBER or mps, got 'bogus'"),
        (["export", RUN, "x.foo"], "FILE must end in .onnx or .pt2, got x.foo"),
    ],
)
def test_a_mistake_is_one_line(here, capsys, words, message):
    assert main(words) == 2
    assert capsys.readouterr().err == f"course: {message}\n"


def test_evaluate_shows_each_class_and_writes_figures(here, capsys):
    _, data, expected = by_hand()
    assert main(["evaluate", RUN, "--out", "report"]) == 0
    out = capsys.readouterr().out
    assert f"accuracy {expected.accuracy:.2%}, loss {expected.loss:.4f}" in out
    with Path("report/per_class.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == list(data.classes)
    assert sum(int(row["images"]) for row in rows) == 360
    assert sorted(path.name for path in Path("report").glob("*.png")) == [
        "confusion.png",
        "most_wrong.png",
        "reliability.png",
    ]


def test_the_exported_program_gives_the_same_probabilities(here, capsys):
    _, data, expected = by_hand()
    assert main(["export", RUN, "net.pt2"]) == 0
    assert "equal to torch's within" in capsys.readouterr().out
    found = torch.export.load("net.pt2").module()(data.test.images[:7].float())
    torch.testing.assert_close(found, expected.probabilities[:7], rtol=1e-4, atol=1e-5)
    facts = json.loads(Path("net.json").read_text())
    assert (facts["network"], facts["classes"]) == ("lenet5", list(data.classes))


def test_the_onnx_file_gives_the_same_probabilities(here):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    _, data, expected = by_hand()
    assert main(["export", RUN, "net.onnx"]) == 0
    session = onnxruntime.InferenceSession("net.onnx", providers=["CPUExecutionProvider"])
    for count in (1, 7):
        (found,) = session.run(None, {"pixels": data.test.images[:count].float().numpy()})
        torch.testing.assert_close(torch.from_numpy(found), expected.probabilities[:count], rtol=1e-4, atol=1e-5)


def test_a_missing_extra_is_named(here, capsys, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert main(["export", RUN, "net.onnx"]) == 2
    assert (
        "onnxruntime is missing; install the extra export: pip install 'cnn-recomputed[export]'"
        in capsys.readouterr().err
    )


def test_a_checkpoint_that_names_no_network_is_refused(here, capsys, tmp_path):
    from training_cases import noise, small_net

    from course_lib.training import fit

    fit(small_net(), noise(), epochs=1, checkpoint=tmp_path)
    assert main(["evaluate", str(tmp_path)]) == 2
    assert "is not of a course train: its checkpoint names no network" in capsys.readouterr().err
