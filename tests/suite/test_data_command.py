"""``course data`` and what ``course train`` says of its data before it trains."""

import numpy as np
import pytest
from picture_files import picture, tree
from PIL import Image

from course_suite.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two classes in two parts, of 32x24 pixels, in the working folder."""
    tree(tmp_path / "own" / "train", {"cat": 6, "dog": 5}, size=(32, 24))
    tree(tmp_path / "own" / "test", {"cat": 3, "dog": 2}, size=(32, 24), first_seed=500)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "own"


def shown(capsys, *arguments):
    """The status and the printed text, without the table's frame."""
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, [line.strip("│ ").replace("│", " ") for line in captured.out.splitlines()], captured.err


def test_data_shows_classes_sizes_and_formats(folder, capsys):
    picture(folder / "train" / "dog" / "large.jpg", size=(40, 30))
    status, lines, _ = shown(capsys, "data", folder)
    rows = [line.split() for line in lines]
    assert status == 0
    assert ["cat", "6", "3"] in rows
    assert ["dog", "6", "2"] in rows
    assert ["2", "classes", "12", "5"] in rows
    assert "sizes (height x width): 2, from 24x32 to 30x40, most often 24x32 (16); course train needs --resize" in lines
    assert "format: JPEG 1, PNG 16" in lines
    assert "copies: none" in lines


def test_data_names_bad_files_and_what_is_no_image(folder, capsys):
    (folder / "train" / "dog" / "empty.jpg").write_bytes(b"")
    content = (folder / "test" / "cat" / "01.png").read_bytes()
    (folder / "test" / "cat" / "01.png").write_bytes(content[:-60])
    (folder / "train" / "dog" / "notes.txt").write_text("")
    status, lines, _ = shown(capsys, "data", folder)
    assert status == 1
    assert f"bad: {folder}/train/dog/empty.jpg is empty" in lines
    assert any(line.startswith(f"bad: {folder}/test/cat/01.png cannot be ") for line in lines)
    assert "no images: train/dog/notes.txt" in lines
    assert "2 bad files: course train needs --skip-bad, or replace or delete such files" in lines
    assert ["cat", "6", "2"] in [line.split() for line in lines]


def test_data_finds_copies_by_pixels(folder, capsys):
    picture(folder / "test" / "dog" / "again.bmp", size=(32, 24), seed=0)
    status, lines, _ = shown(capsys, "data", f"folder:{folder}")
    assert status == 0
    assert "copies: 1 pictures are there already, pixel by pixel" in lines
    assert "in two parts: test/dog/again.bmp, train/cat/00.png" in lines or (
        "in two parts: train/cat/00.png, test/dog/again.bmp" in lines
    )
    assert any(line.startswith("in two classes: ") for line in lines)


def test_data_takes_a_table(folder, capsys):
    lines = [f"{path.relative_to(folder)},{path.parent.name}" for path in sorted((folder / "train").rglob("*.png"))]
    (folder / "my.csv").write_text("\n".join(["file,label", *lines]))
    status, shown_lines, _ = shown(capsys, "data", folder, "--labels", folder / "my.csv")
    assert status == 0
    assert "note: labels from my.csv" in shown_lines
    assert "note: left out: 5 images without a label in my.csv" in shown_lines


def test_a_sheet_shows_pictures_of_each_class(folder, capsys):
    Image.new("RGB", (32, 24), "red").save(folder / "train" / "cat" / "00.png")
    status, lines, _ = shown(capsys, "data", folder, "--sheet", "sheet.png")
    assert (status, lines[-1]) == (0, "wrote sheet.png, a row for each of 2 classes")
    with Image.open("sheet.png") as sheet:
        pixels = np.asarray(sheet)
    red = (pixels == [255, 0, 0]).all(2)
    assert red.any(0).sum() == 96
    assert red.any(1).sum() == 72  # 32x24 in a square of 96
    status, _, error = shown(capsys, "data", folder, "--sheet", "sheet.xyz")
    assert (status, "sheet.xyz cannot be written" in error) == (2, True)


@pytest.mark.parametrize("path", ["nowhere", "own/train/cat"])
def test_what_is_no_folder_of_classes_is_one_line(folder, capsys, path):
    status, _, error = shown(capsys, "data", path)
    assert status == 2
    assert error.startswith("course: ")
    assert error.count("\n") == 1


def test_train_says_what_it_loaded_and_takes_the_options_of_folders(folder, capsys):
    (folder / "train" / "dog" / "empty.jpg").write_bytes(b"")
    command = ["train", "lenet5", "--data", "folder:own", "--resize", "32", "--epochs", "1", "--device", "cpu"]
    command += ["--work", "work", "--out", "out"]
    status, _, error = shown(capsys, *command)
    assert status == 2
    assert error.startswith("course: 1 bad file: own/train/dog/empty.jpg is empty: replace or delete such files")
    status, lines, _ = shown(capsys, *command, "--skip-bad", "--fit", "stretch")
    assert status == 0
    assert lines[0] == (
        "folder:own: 2 classes, 11 training, 5 test images of 3x32x32, smallest class dog (5 training images); "
        "16 stretched to another shape; 1 bad file skipped"
    )
    status, _, error = shown(capsys, *command, "--fit", "squeeze", "--skip-bad", "--name", "other")
    assert (status, error.count("\n")) == (2, 1)
    assert "'squeeze'" in error
    assert "crop" in error
