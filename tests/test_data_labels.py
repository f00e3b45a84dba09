"""Labels in a table: found, matched to files, and refused with the line that is wrong."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from picture_files import picture, tree

from course_lib.data import DataError, load
from course_lib.data.label_table import list_tables

NAMES = [f"{index:02}" for index in range(10)]
CLASS_OF = {name: "dog" if index % 2 else "cat" for index, name in enumerate(NAMES)}


@pytest.fixture
def folder(tmp_path):
    """Ten images in one folder, without classes."""
    tree(tmp_path, {"images": 10})
    return tmp_path


def write(folder, header, line, name="labels.csv", ending="\n", encoding="utf-8"):
    text = ending.join([header, *(line.format(name=name, label=CLASS_OF[name]) for name in NAMES), ""])
    (folder / name).write_text(text, encoding=encoding, newline="")
    return folder / name


def files_by_class(listing, part="all"):
    return {label: [file.stem for file in files] for label, files in listing.parts[part].items()}


EXPECTED = {label: [name for name in NAMES if CLASS_OF[name] == label] for label in ("cat", "dog")}


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("file,label", "{name}.png,{label}"),
        ("Filename;Class", "images/{name}.png;{label}"),
        ("id\tbreed", "{name}\t{label}"),
        ("label,image_name", "{label},{name}.png"),
        ("width,path,size,category", "6,./images/{name}.png,5,{label}"),
        ("picture,what", "{name}.png,{label}"),
        ("what,picture", "{label},{name}.png"),
        ('"file","label"', '"{name}.png","{label}"'),
        ("file,label", "images\\{name}.png,{label}"),
        ("file,label", "/home/somebody/data/{name}.png, {label} "),
        ("00.png,cat", "{name}.png,{label}"),
    ],
)
def test_tables_of_many_forms_are_understood(folder, header, line):
    listing = list_tables([write(folder, header, line)], folder)
    assert files_by_class(listing) == EXPECTED
    assert listing.notes == ["labels from labels.csv"]
    assert listing.bad == []


@pytest.mark.parametrize(("ending", "encoding"), [("\r\n", "utf-8"), ("\n", "utf-8-sig"), ("\r", "utf-8")])
def test_line_ends_and_marks_of_spreadsheets_do_not_matter(folder, ending, encoding):
    write(folder, "file,label", "{name}.png,{label}", ending=ending, encoding=encoding)
    assert load(f"folder:{folder}").classes == ("cat", "dog")


def test_a_table_is_found_beside_the_images_or_named(folder, tmp_path_factory):
    table = write(folder, "file,label", "{name}.png,{label}")
    found = load(f"folder:{folder}")
    assert (len(found.train), len(found.test)) == (8, 2)
    assert load(f"folder:{table}").sha256 == found.sha256
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "mine.csv"
    table.rename(elsewhere)
    assert load(f"folder:{folder}", labels=elsewhere).sha256 == found.sha256


def test_a_table_one_level_down_is_found(folder):
    inner = folder / "unzipped" / "mydata"
    inner.mkdir(parents=True)
    (folder / "images").rename(inner / "images")
    write(inner, "file,label", "{name}.png,{label}")
    assert load(f"folder:{folder}").classes == ("cat", "dog")


def test_class_folders_come_before_a_table(tmp_path):
    tree(tmp_path, {"a": 5, "b": 5})
    (tmp_path / "labels.csv").write_text("file,label\n00.png,x\n")
    assert load(f"folder:{tmp_path}").classes == ("a", "b")


def test_a_column_or_the_folders_say_the_parts(folder):
    write(folder, "file,label,split", "{name}.png,{label},train")
    text = (folder / "labels.csv").read_text().splitlines()
    text[1:5] = [
        line.replace("train", part) for line, part in zip(text[1:5], ["test", "Test", "val", "val"], strict=True)
    ]
    (folder / "labels.csv").write_text("\n".join(text))
    data = load(f"folder:{folder}")
    assert (len(data.train), len(data.test), len(data.validation)) == (6, 2, 2)
    (folder / "train").mkdir()
    (folder / "test").mkdir()
    for name in NAMES:
        (folder / "images" / f"{name}.png").rename(folder / ("test" if name < "04" else "train") / f"{name}.png")
    write(folder, "file,label", "{name}.png,{label}")
    data = load(f"folder:{folder}")
    assert (len(data.train), len(data.test)) == (6, 4)


def test_a_table_for_each_part(folder):
    for part, names in (("train", NAMES[:6]), ("test", NAMES[6:])):
        lines = [f"{name}.png,{CLASS_OF[name]}" for name in names]
        (folder / f"{part}_labels.csv").write_text("\n".join(["file,label", *lines]))
    (folder / "sample_submission.csv").write_text("file,label\n00.png,0\n")
    data = load(f"folder:{folder}")
    assert (len(data.train), len(data.test)) == (6, 4)
    assert data.notes[0] == "labels from test_labels.csv and train_labels.csv"


def test_numbers_are_classes_in_the_order_of_numbers(folder):
    lines = [f"{name}.png,{9 + index % 3}" for index, name in enumerate(NAMES)]
    (folder / "labels.csv").write_text("\n".join(["file,label", *lines]))
    assert load(f"folder:{folder}").classes == ("9", "10", "11")


def test_what_a_table_gets_wrong_is_named_by_its_line(folder):
    picture(folder / "images" / "deep" / "00.png", seed=99)
    picture(folder / "images" / "unnamed.png", seed=98)
    write(folder, "file,label", "{name}.png,{label}")
    with (folder / "labels.csv").open("a") as table:
        table.write("gone.png,cat\n03.png,cat\n04.png,cat\n")
    with pytest.raises(DataError, match=r"^3 bad files: ") as caught:
        load(f"folder:{folder}")
    for text in (
        "00.png (labels.csv, line 2) may be any of 2 files of that name",
        "gone.png is named in labels.csv, line 12, and is not there",
        "03.png is dog in labels.csv, line 5, and cat in labels.csv, line 13",
    ):
        assert text in str(caught.value)
    data = load(f"folder:{folder}", skip_bad=True)
    assert len(data.train) + len(data.test) == 8
    assert "left out: 3 images without a label in labels.csv" in data.notes


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "labels.csv is empty"),
        (b"a,b,c\n1,2,3\n", "labels.csv has the columns a, b, c: call the column of files file and the column"),
        (b"00.png,cat,1\n01.png,dog,2\n", "has 3 columns without names: begin it with a line such as file,label"),
        (b"file,label\n00.png\n", "line 2, lacks a file or a class: '00.png'"),
        (b"file,label\n00.png,\n", "line 2, lacks a file or a class"),
        (b"file,label,split\n00.png,cat,middle\n", "line 2: 'middle' is no part; parts are train, validation, test"),
        (b"file,label\n00.png,cat\n01.png,cat\n", "holds one class, cat"),
        (b"file,label\n\xff\xfe,cat\n", "is not in UTF-8"),
        (b"file,label\n", "has no image that can be used"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(folder, content, message):
    (folder / "labels.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        load(f"folder:{folder}")


def test_several_tables_must_be_told_apart(folder):
    write(folder, "file,label", "{name}.png,{label}", name="a.csv")
    write(folder, "file,label", "{name}.png,{label}", name="b.csv")
    with pytest.raises(DataError, match=r"several tables \(a.csv, b.csv\): name the one of labels \(labels=, --labels"):
        load(f"folder:{folder}")
    assert load(f"folder:{folder}", labels=folder / "b.csv").classes == ("cat", "dog")
    with pytest.raises(DataError, match=r"c.csv cannot be read \(No such file or directory\): name a CSV file of"):
        load(f"folder:{folder}", labels=folder / "c.csv")


CELLS = st.sampled_from(["file", "label", "split", "00.png", "01", "cat", "dog", "train", "", '"', "\0", "ä"])
TEXTS = st.lists(st.lists(CELLS, max_size=4).map(",".join), max_size=6).map("\n".join)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(TEXTS.map(str.encode), st.binary(max_size=60)))
def test_any_bytes_give_a_listing_or_a_data_error(folder, content):
    (folder / "labels.csv").write_bytes(content)
    message, classes = "", ("", "")
    try:
        classes = list_tables([folder / "labels.csv"], folder).classes
    except DataError as error:
        message = str(error)
    assert len(classes) >= 2
    assert "\n" not in message
