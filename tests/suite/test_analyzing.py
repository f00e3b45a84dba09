"""``course analyze``: what it prints in each format, where networks come from, and a user's mistakes in one line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from course_suite.cli import main


@pytest.fixture
def course(capsys) -> Any:
    """Runs ``course analyze`` in this process; gives its status, its output and its errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["analyze", *arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_table_has_rows_and_totals_beside_others(course) -> None:
    status, out, err = course("resnet18")

    assert (status, err) == (0, "")
    assert "resnet18, input 3x224x224" in out
    lines = [" ".join(line.replace("│", " ").split()) for line in out.splitlines()]
    assert "stem.conv Conv2d 64x112x112 9,408 118,013,952 3.1 MiB 7" in lines
    assert "parameters 11,689,512 11,689,512 11,689,512" in lines
    assert "multiply-adds 1,814,073,344 1,814,083,944 1.814 G" in lines


def test_network_without_published_totals_has_none(course) -> None:
    _, out, _ = course("lenet5")

    lines = [" ".join(line.replace("│", " ").split()) for line in out.splitlines()]
    assert "multiply-adds 416,520 423,038" in lines


def test_json_is_complete(course) -> None:
    status, out, _ = course("torchvision:resnet18", "--format", "json")

    found = json.loads(out)
    assert status == 0
    assert found["network"] == "torchvision:resnet18"
    assert found["input_shapes"] == [[1, 3, 224, 224]]
    assert found["totals"]["macs"] == sum(row["macs"] for row in found["rows"]) == 1_814_073_344
    assert found["torchinfo"] == {"params": 11_689_512, "mult_adds": 1_814_083_944}
    assert found["torchvision_published"] == {"params": 11_689_512, "giga_macs": 1.814}
    assert found["rows"][0] == {
        "name": "conv1", "type": "Conv2d", "input_shapes": [[1, 3, 224, 224]], "output_shape": [1, 64, 112, 112],
        "params": 9408, "macs": 118_013_952, "activation_bytes": 3_211_264,
        "receptive_field": {"size": 7, "jump": 2, "offset": 0}, "inputs": [-1], "not_counted": [],
        "backward_macs": 118_013_952,
    }  # fmt: skip
    assert found["totals"]["inference_bytes"] == sum(
        found["totals"][part] for part in ("param_bytes", "buffer_bytes", "peak_activation_bytes")
    )


def test_csv_is_complete(course) -> None:
    _, out, _ = course("lenet5", "--format", "csv")

    rows = table(out)
    assert len(rows) == 12
    assert sum(int(row["macs"]) for row in rows) == 416_520
    assert rows[2] == {
        "name": "s2", "type": "AvgPool2d", "input_shapes": "1x6x28x28", "output_shape": "1x6x14x14", "params": "0",
        "macs": "0", "activation_bytes": "4704", "receptive_field_pixels": "6", "receptive_field_jump_pixels": "2",
        "receptive_field_offset_pixels": "2.5", "inputs": "1", "not_counted": "",
    }  # fmt: skip


def test_two_networks_stand_side_by_side(course) -> None:
    _, text, _ = course("vgg16", "--compare", "resnet50")
    _, csv_text, _ = course("vgg16", "--compare", "resnet50", "--format", "csv")
    _, json_text, _ = course("vgg16", "--compare", "resnet50", "--format", "json")

    lines = [" ".join(line.replace("│", " ").split()) for line in text.splitlines()]
    assert "parameters 138,357,544 25,557,032 0.185" in lines
    assert table(csv_text)[0] == {"measure": "params", "vgg16": "138357544", "resnet50": "25557032"}
    assert [network["network"] for network in json.loads(json_text)["networks"]] == ["vgg16", "resnet50"]


def test_published_totals_are_those_of_the_image_that_is_counted(course) -> None:
    _, same, _ = course("efficientnet_b2", "--format", "json", "--input", "3x288x288")
    _, other, _ = course("efficientnet_b2", "--format", "json")

    assert json.loads(same)["torchvision_published"] == {"params": 9_109_994, "giga_macs": 1.088}
    assert json.loads(other)["torchvision_published"] is None


def test_vision_transformer_is_made_for_the_image_that_is_given(course) -> None:
    status, out, _ = course("torchvision:vit_b_16", "--input", "3x384x384", "--format", "json")

    assert status == 0
    assert json.loads(out)["torchvision_published"] == {"params": 86_859_496, "giga_macs": 55.484}


def test_own_code_is_found_in_the_current_folder(course, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "my_networks.py").write_text(
        "import torch\nfrom torch import nn\n\n\n"
        "class Two(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n        self.line = nn.Linear(3, 4)\n\n"
        "    def forward(self, x, y):\n        return torch.fft.fft(self.line(x)).real @ y\n\n\n"
        "made = Two()\n"
    )
    monkeypatch.chdir(tmp_path)

    for name in ("my_networks:Two", "my_networks:made"):
        status, out, _ = course(name, "--input", "5x3,4x2", "--format", "csv")
        rows = table(out)
        assert status == 0
        assert [(row["name"], row["macs"]) for row in rows] == [
            ("line", "60"), ("fft_fft", ""), ("matmul", "40"),
        ]  # fmt: skip
        assert [row["not_counted"] for row in rows] == ["", "aten._fft_r2c", ""]
    _, text, _ = course("my_networks:Two", "--input", "5x3,4x2")
    assert "not counted: fft_fft: aten._fft_r2c" in text


def test_drawing_is_written_with_auxiliary_heads(course, tmp_path: Path) -> None:
    status, _, _ = course("googlenet", "--draw", str(tmp_path / "drawn.svg"), "--format", "csv")

    assert status == 0
    assert "AuxiliaryHead" in (tmp_path / "drawn.svg").read_text()


def test_drawing_is_that_of_inference_where_training_needs_a_larger_image(course, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "headed.py").write_text(
        "from torch import nn\n\n\n"
        "class Net(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n"
        "        self.conv, self.head = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 2, 9)\n\n"
        "    def forward(self, x):\n        x = self.conv(x)\n"
        "        return (x, self.head(x)) if self.training else x\n"
    )
    monkeypatch.chdir(tmp_path)

    drawn = []
    for size in (8, 16):
        course("headed:Net", "--input", f"3x{size}x{size}", "--draw", "headed.svg", "--format", "csv")
        drawn.append((tmp_path / "headed.svg").read_text())

    assert ["9×9" in svg for svg in drawn] == [False, True]


def test_training_counts_the_auxiliary_heads(course) -> None:
    _, inference, _ = course("googlenet", "--format", "json")
    _, training, _ = course("googlenet", "--format", "json", "--training")

    assert json.loads(inference)["totals"]["unused_params"] == 6_379_728
    assert json.loads(training)["totals"]["unused_params"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["resnet19"], "no network is called 'resnet19'; close ones: resnet18, "),
        (["torchvision:resnet19"], "torchvision has no network 'resnet19'; close ones: resnet18, "),
        (["no_such_module:make", "--input", "3x8x8"], "cannot import 'no_such_module': No module named"),
        (["json:dunp", "--input", "3x8x8"], "json has no 'dunp'; close ones: dump, dumps"),
        (["json:dump", "--input", "3x8x8"], "json:dump cannot be built without arguments: dump() missing"),
        (["json:decoder", "--input", "3x8x8"], "json:decoder must be a function or a class that makes"),
        (["builtins:dict", "--input", "3x8x8"], "builtins:dict must make a torch.nn.Module, got dict"),
        (["torch.nn:ReLU"], "--input is needed for torch.nn:ReLU, such as --input 3x224x224"),
        (["torchvision:fcn_resnet50"], "--input is needed for torchvision:fcn_resnet50"),
        (["lenet5", "--input", "1x"], "--input must be sizes joined by x, such as 3x224x224, got '1x'"),
        (["lenet5", "--input", "1x0x32"], "--input must be sizes joined by x, such as 3x224x224, got '1x0x32'"),
        (["lenet5", "--input", "1x8x8"], "lenet5: layer LeNet5 (LeNet5) cannot take an input of shape (1, 1, 8, 8)"),
        (["lenet5", "--compare", "lenet5"], "--compare must name another network than lenet5"),
        (["lenet5", "--compare", "alexnet", "--draw", "x.svg"], "--draw draws one network: leave out --compare"),
        (["lenet5", "--draw", "no/such/folder/x.svg"], "cannot draw lenet5 into no/such/folder/x.svg: "),
        (["lenet5", "--format", "xml"], "Invalid value for '--format'"),
    ],
)
def test_mistake_is_one_line_and_status_2(course, arguments: list[str], message: str) -> None:
    status, out, err = course(*arguments)

    assert (status, out) == (2, "")
    assert err.startswith(f"course: {message}")
    assert err.count("\n") == 1
