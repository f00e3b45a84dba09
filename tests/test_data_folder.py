"""A folder of one's own images: read as it was meant, or refused in a line that says what to do."""

import os

import numpy as np
import pytest
import torch
from picture_files import picture, tree
from PIL import Image
from torchvision.datasets import ImageFolder

from course_lib.data import DataError, load, load_prepared
from course_lib.data.part_names import part_of, parts_of


@pytest.fixture
def folder(tmp_path):
    """Two classes, three images each to train and two to test, of 6x5 pixels."""
    tree(tmp_path / "train", {"cat": 3, "dog": 3})
    tree(tmp_path / "test", {"cat": 2, "dog": 2}, first_seed=500)
    return tmp_path


def counts(data):
    """Images of each class in each split."""
    splits = {"train": data.train, "test": data.test, "validation": data.validation}
    return {
        name: torch.bincount(split.labels, minlength=len(data.classes)).tolist()
        for name, split in splits.items()
        if split is not None
    }


# ---- as torchvision reads it -----------------------------------------------------------------------------------------


def test_a_folder_is_read_as_torchvision_reads_it(folder):
    data = load(f"folder:{folder}")
    assert (data.name, data.classes, data.image_shape) == (f"folder:{folder}", ("cat", "dog"), (3, 5, 6))
    for part, split in (("train", data.train), ("test", data.test)):
        theirs = ImageFolder(folder / part)
        assert split.labels.tolist() == theirs.targets
        for image, (expected, _) in zip(split.images, theirs, strict=True):
            assert np.array_equal(image.permute(1, 2, 0), expected)
    assert data.notes == ()


def test_formats_and_modes_are_mixed_as_one_likes(tmp_path):
    pixels = picture(tmp_path / "a" / "0.png")
    Image.fromarray(pixels).convert("L").save(tmp_path / "a" / "1.PNG")
    Image.fromarray(pixels).convert("RGBA").save(tmp_path / "a" / "2.webp", lossless=True)
    Image.fromarray(pixels).save(tmp_path / "a" / "3.bmp")
    Image.fromarray(pixels).save(tmp_path / "a" / "without a suffix", "PNG")
    picture(tmp_path / "b" / "deeper" / "0.tiff")
    picture(tmp_path / "b" / "1.jpe")
    (tmp_path / "a" / "notes.txt").write_text("no image")
    data = load(f"folder:{tmp_path}")
    images = torch.cat([data.train.images, data.test.images]).permute(0, 2, 3, 1)
    assert sum(map(sum, counts(data).values())) == 7
    grey = images[images.float().std(3).sum((1, 2)) == 0]
    assert np.array_equal(grey[0, :, :, 0], np.array(Image.fromarray(pixels).convert("L")))
    assert sum(np.array_equal(image, pixels) for image in images) == 5
    assert "1 other file" in data.notes


def test_grey_images_have_one_channel_unless_three_are_asked_for(tmp_path):
    tree(tmp_path, {"a": 3, "b": 3}, mode="L")
    one, three = load(f"folder:{tmp_path}"), load(f"folder:{tmp_path}", channels=3)
    assert (one.image_shape, three.image_shape) == ((1, 5, 6), (3, 5, 6))
    assert torch.equal(one.train.images.expand(-1, 3, -1, -1), three.train.images)
    picture(tmp_path / "b" / "colours.png")
    assert load(f"folder:{tmp_path}").image_shape == (3, 5, 6)


def test_what_was_done_to_pictures_is_said(tmp_path):
    tree(tmp_path, {"a": 4, "b": 4}, size=(5, 5))
    picture(tmp_path / "a" / "turned.jpg", size=(5, 5), orientation=6)
    picture(tmp_path / "b" / "print.jpg", size=(5, 5), mode="CMYK")
    Image.new("RGBA", (5, 5), (1, 2, 3, 4)).save(tmp_path / "b" / "glass.png")
    assert set(load(f"folder:{tmp_path}").notes[1:]) == {
        "1 turned upright as the EXIF tag says",
        "1 turned from CMYK to RGB",
        "1 with transparency laid on white",
    }


# ---- parts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("train", "test"),
    [("train", "test"), ("Train", "Test"), ("training", "testing"), ("train_images", "test_images"), ("TRAIN", "val"),
     ("train", "valid"), ("training_set", "test_set"), ("trainset", "testset"), ("seg_train", "seg_test"),
     ("train2017", "val2017"), ("mnist_train", "mnist_test"), ("train", "dev"), ("TrainData", "EvalData")],
)  # fmt: skip
def test_parts_have_many_names(tmp_path, train, test):
    tree(tmp_path / train, {"cat": 3, "dog": 4})
    tree(tmp_path / test, {"cat": 2, "dog": 1})
    data = load(f"folder:{tmp_path}")
    assert data.classes == ("cat", "dog")
    assert counts(data) == {"train": [3, 4], "test": [2, 1]}
    says_so = f"{test}/ is the test split, since there is no other" in data.notes
    assert says_so == (part_of(test) != "test" and "mnist" not in test)


@pytest.mark.parametrize("name", ["val", "valid", "validation", "Validation", "dev"])
def test_a_third_part_is_for_validation(folder, name):
    tree(folder / name, {"cat": 1, "dog": 2})
    assert counts(load(f"folder:{folder}")) == {"train": [3, 3], "test": [2, 2], "validation": [1, 2]}


def test_classes_may_be_called_like_parts(tmp_path):
    tree(tmp_path, {"train": 5, "bus": 5})
    assert load(f"folder:{tmp_path}").classes == ("bus", "train")
    assert [part_of(name) for name in ("train station", "test tube", "dog", "valid ticket")] == [None] * 4
    assert parts_of(["a_train", "a_test"]) == ["train", "test"]
    assert parts_of(["train", "truck"]) == ["train", None]


def test_parts_may_lie_inside_the_classes(tmp_path):
    for name in ("cat", "dog"):
        tree(tmp_path / name, {"train": 3, "test": 2})
    data = load(f"folder:{tmp_path}")
    assert data.classes == ("cat", "dog")
    assert counts(data) == {"train": [3, 3], "test": [2, 2]}


@pytest.mark.parametrize("levels", ["unzipped/mydata", "a/b/c"])
def test_levels_too_many_are_gone_down_and_said(tmp_path, levels):
    tree(tmp_path / levels, {"cat": 5, "dog": 5})
    (tmp_path / "__MACOSX").mkdir()
    data = load(f"folder:{tmp_path}")
    assert data.classes == ("cat", "dog")
    assert f"found in {levels}/" in data.notes


def test_levels_too_many_in_the_parts_are_gone_down(tmp_path):
    tree(tmp_path / "seg_train" / "seg_train", {"sea": 3, "street": 3})
    tree(tmp_path / "seg_test" / "seg_test", {"sea": 1, "street": 1})
    assert load(f"folder:{tmp_path}").classes == ("sea", "street")


def test_train_alone_is_split(tmp_path):
    tree(tmp_path / "train", {"cat": 5, "dog": 5})
    assert counts(load(f"folder:{tmp_path}")) == {"train": [4, 4], "test": [1, 1]}


def test_a_test_without_labels_and_other_folders_are_said(tmp_path):
    tree(tmp_path / "train", {"cat": 5, "dog": 5})
    tree(tmp_path, {"test": 3, "sample": 2})
    notes = load(f"folder:{tmp_path}").notes
    assert "left out: 3 images in test/, which has no class folders" in notes
    assert "left out: 2 images in sample/, which is no part" in notes
    assert "20% of each class drawn for the test (seed 0)" in notes


def test_images_beside_the_classes_are_said(tmp_path):
    tree(tmp_path, {"cat": 5, "dog": 5})
    picture(tmp_path / "alone.png")
    assert "left out: 1 image beside the class folders, without a class" in load(f"folder:{tmp_path}").notes


# ---- a split of our own ----------------------------------------------------------------------------------------------


def test_without_a_test_the_same_share_of_each_class_is_drawn(tmp_path):
    tree(tmp_path, {"a": 10, "b": 15, "rare": 2, "single": 1})
    data, again = load(f"folder:{tmp_path}"), load(f"folder:{tmp_path}")
    assert counts(data) == {"train": [8, 12, 1, 1], "test": [2, 3, 1, 0]}
    assert data.sha256 == again.sha256 != load(f"folder:{tmp_path}", split_seed=1).sha256
    assert data.notes == ("20% of each class drawn for the test (seed 0)", "no test image of single")
    assert counts(load(f"folder:{tmp_path}", test_share=0.5))["test"] == [5, 8, 1, 0]
    assert torch.equal(torch.cat([data.train.images, data.test.images]).sum(0), all_of(tmp_path).sum(0))


def all_of(folder):
    files = sorted(folder.rglob("*.png"))
    return torch.stack([torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1) for file in files])


def test_copies_of_an_image_stay_on_one_side(tmp_path):
    for index in range(5):
        for copy in range(4):
            picture(tmp_path / "a" / f"{index}-{copy}.png", seed=index)
            picture(tmp_path / "b" / f"{index}-{copy}.png", seed=10 + index)
    data = load(f"folder:{tmp_path}")
    assert counts(data) == {"train": [16, 16], "test": [4, 4]}
    train = {image.numpy().tobytes() for image in data.train.images}
    assert not train & {image.numpy().tobytes() for image in data.test.images}


def test_copies_across_a_split_that_is_given_are_said(folder):
    picture(folder / "test" / "cat" / "again.png", seed=1)
    picture(folder / "train" / "dog" / "again.png", seed=500)
    assert load(f"folder:{folder}").notes == ("2 test images with a copy among the training images",)


def test_take_decodes_only_what_it_takes(tmp_path):
    tree(tmp_path / "train", {"a": 6, "b": 3})
    tree(tmp_path / "test", {"a": 2, "b": 2})
    (tmp_path / "train" / "a" / "05.png").write_bytes(b"never looked at")
    whole = load(f"folder:{tmp_path}", skip_bad=True)
    taken = load_prepared(f"folder:{tmp_path}", take=5)
    assert counts(taken) == {"train": [3, 2], "test": [2, 2]}
    assert taken.sha256 == whole.take(5, 4).sha256
    with pytest.raises(ValueError, match="take must be between 1 and the 9 images of the training split, got 10"):
        load(f"folder:{tmp_path}", take=10)


# ---- classes ---------------------------------------------------------------------------------------------------------


def test_a_class_without_test_images_is_said(folder):
    tree(folder / "train", {"emu": 2})
    (folder / "test" / "emu").mkdir()
    data = load(f"folder:{folder}")
    assert counts(data) == {"train": [3, 3, 2], "test": [2, 2, 0]}
    assert "no test image of emu" in data.notes


def test_a_class_that_cannot_be_trained_is_refused(folder):
    tree(folder / "test", {"emu": 1})
    with pytest.raises(DataError, match="test has classes that train has not: emu"):
        load(f"folder:{folder}")
    (folder / "train" / "emu").mkdir()
    (folder / "train" / "emu" / "list.txt").write_text("")
    with pytest.raises(DataError, match="no image to train on in the class emu: add some or delete it"):
        load(f"folder:{folder}")


@pytest.mark.parametrize("levels", ["cat", "mydata/cat", "train/cat"])
def test_one_class_is_refused(tmp_path, levels):
    tree(tmp_path, {levels: 6})
    with pytest.raises(DataError, match="holds one class, cat, and a classifier needs two: give the folder that holds"):
        load(f"folder:{tmp_path}")


def test_names_keep_spaces_and_letters_of_all_kinds(tmp_path):
    root = tmp_path / "mes photos é"
    tree(root, {"grüße aus": 5, "猫": 5, "a\nb": 5})
    assert load(f"folder:{root}").classes == ("a\nb", "grüße aus", "猫")


def test_an_accent_is_the_same_however_it_is_stored(tmp_path):
    tree(tmp_path / "train", {"\u00e9t\u00e9": 3, "na\u00efve": 3})
    tree(tmp_path / "test", {"e\u0301te\u0301": 1, "nai\u0308ve": 1})
    assert load(f"folder:{tmp_path}").classes == ("na\u00efve", "\u00e9t\u00e9")


def test_classes_that_differ_in_case_alone_are_refused(tmp_path):
    tree(tmp_path, {"Cat": 3, "cat": 3, "dog": 3})
    with pytest.raises(DataError, match="the classes Cat and cat differ in case alone: make them one"):
        load(f"folder:{tmp_path}")


# ---- what is no image, and links -------------------------------------------------------------------------------------


def test_hidden_files_and_leftovers_are_not_looked_at(tmp_path):
    tree(tmp_path, {"a": 5, "b": 5})
    before = load(f"folder:{tmp_path}").sha256
    tree(tmp_path / "a", {".ipynb_checkpoints": 2, "__MACOSX": 1, "@eaDir": 1})
    (tmp_path / "a" / "._00.png").write_text("what some systems leave beside a picture")
    (tmp_path / ".hidden").mkdir()
    assert load(f"folder:{tmp_path}").sha256 == before


def test_links_are_followed_and_circles_are_named(tmp_path):
    elsewhere = tree(tmp_path / "elsewhere", {"more": 2})
    root = tree(tmp_path / "data", {"a": 5, "b": 3})
    (root / "b" / "linked").symlink_to(elsewhere / "more")
    assert counts(load(f"folder:{root}"))["train"] == [4, 4]
    (root / "b" / "circle").symlink_to(root)
    (root / "b" / "itself.png").symlink_to(root / "b" / "itself.png")
    (root / "b" / "gone.png").symlink_to(root / "nowhere.png")
    with pytest.raises(DataError, match=r"^3 bad files: ") as caught:
        load(f"folder:{root}")
    for text in ("circle is a link to a folder above it", "itself.png is a link to nothing", "gone.png is a link to"):
        assert text in str(caught.value)
    assert counts(load(f"folder:{root}", skip_bad=True))["train"] == [4, 4]


def test_a_circle_of_levels_ends(tmp_path):
    (tmp_path / "again").symlink_to(tmp_path)
    with pytest.raises(DataError):
        load(f"folder:{tmp_path}")


def test_a_pipe_is_not_waited_for(tmp_path):
    tree(tmp_path, {"a": 5, "b": 5})
    os.mkfifo(tmp_path / "a" / "pipe.png")
    with pytest.raises(DataError, match=r"pipe\.png is no ordinary file"):
        load(f"folder:{tmp_path}")


def test_a_folder_that_cannot_be_opened_is_named(tmp_path, monkeypatch):
    tree(tmp_path, {"a": 5, "b": 5, "a/deep": 2})
    scandir = os.scandir

    def refusing(path):
        if str(path).endswith(refused):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    refused = "deep"
    with pytest.raises(DataError, match=r"^1 bad file: \S+deep cannot be opened \(Permission denied\): replace or"):
        load(f"folder:{tmp_path}")
    refused = tmp_path.name
    with pytest.raises(DataError, match=r"cannot be opened \(Permission denied\): check its permissions"):
        load(f"folder:{tmp_path}")


# ---- bad files -------------------------------------------------------------------------------------------------------


@pytest.fixture
def damaged(tmp_path):
    """Two classes of ten, of which seven files are bad."""
    tree(tmp_path, {"a": 10, "b": 10}, size=(64, 64))
    for index in range(5):
        (tmp_path / "a" / f"{index:02}.png").write_bytes(b"")
    whole = (tmp_path / "b" / "00.png").read_bytes()
    (tmp_path / "b" / "00.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "b" / "phone.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    return tmp_path


def test_bad_files_are_named_with_their_reasons(damaged):
    (damaged / "b" / "phone.HEIC").unlink()
    with pytest.raises(DataError) as caught:
        load(f"folder:{damaged}")
    text = str(caught.value)
    assert text.startswith(f"5 bad files: {damaged}/a/00.png is empty; {damaged}/a/01.png is empty; ")
    assert text.endswith(": replace or delete such files, or leave them out with skip_bad (--skip-bad)")
    (damaged / "b" / "phone.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    with pytest.raises(DataError, match=r"^6 bad files: \S+/b/phone.HEIC is HEIC, which is not read here: save it as"):
        load(f"folder:{damaged}")
    (damaged / "b" / "phone.HEIC").unlink()
    for index in range(5):
        (damaged / "a" / f"{index:02}.png").unlink()
    with pytest.raises(DataError, match=r"^1 bad file: \S+/b/00.png cannot be read \(.*truncated.*\): replace"):
        load(f"folder:{damaged}")


def test_more_bad_files_than_a_line_holds_are_counted(damaged):
    for index in range(5, 8):
        (damaged / "a" / f"{index:02}.png").write_bytes(b"")
    (damaged / "b" / "phone.HEIC").unlink()
    with pytest.raises(DataError, match=r"^8 bad files: .*; and 3 more, which course data \S+ lists: replace"):
        load(f"folder:{damaged}")


def test_skip_bad_goes_on_and_counts(damaged):
    data = load(f"folder:{damaged}", skip_bad=True)
    assert sum(map(sum, counts(data).values())) == 14
    assert "7 bad files skipped" in data.notes
    good = {pixels.tobytes() for pixels in all_good(damaged)}
    kept = torch.cat([data.train.images, data.test.images]).permute(0, 2, 3, 1)
    assert {np.ascontiguousarray(image).tobytes() for image in kept} == good


def all_good(folder):
    for file in sorted(folder.rglob("*.png")):
        try:
            with Image.open(file) as image:
                yield np.asarray(image.convert("RGB"))
        except (OSError, SyntaxError):
            continue


def test_a_class_of_bad_files_alone_is_refused(damaged):
    for file in (damaged / "a").iterdir():
        file.write_bytes(b"")
    with pytest.raises(DataError, match="no training image of the class a can be used"):
        load(f"folder:{damaged}", skip_bad=True)


# ---- sizes -----------------------------------------------------------------------------------------------------------


def test_images_of_several_sizes_need_image_size(folder):
    picture(folder / "test" / "dog" / "01.png", size=(7, 5))
    first, odd = folder / "train" / "cat" / "00.png", folder / "test" / "dog" / "01.png"
    with pytest.raises(
        DataError,
        match=rf"images of 2 sizes \(height x width\): {first} is 5x6, {odd} is 5x7: pass image_size \(--resize\)",
    ):
        load(f"folder:{folder}")
    assert load(f"folder:{folder}", image_size=8).image_shape == (3, 8, 8)


@pytest.mark.parametrize(
    ("fit", "said"), [("crop", "cropped about the middle"), ("stretch", "stretched"), ("pad", "padded with black")]
)
def test_a_change_of_shape_is_said(folder, fit, said):
    (note,) = load(f"folder:{folder}", image_size=8, fit=fit).notes
    assert note.startswith(f"10 {said}")
    assert load(f"folder:{folder}", image_size=(10, 12), fit=fit).notes == ()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 0}, "image_size must be at least 1 pixel, got"),
        ({"image_size": (4, 0)}, "image_size must be at least 1 pixel, got"),
        ({"fit": "squeeze"}, "fit must be one of crop, stretch, pad, got 'squeeze'"),
        ({"channels": 2}, "channels must be 1 or 3, got 2"),
        ({"test_share": 1.0}, "test_share must lie between 0 and 1, got 1.0"),
        ({"take": 0}, "take must be between 1 and the 6 images of the training split, got 0"),
    ],
)
def test_arguments_out_of_range_are_refused(folder, options, message):
    with pytest.raises(ValueError, match=message):
        load(f"folder:{folder}", **options)


# ---- no folder of images ---------------------------------------------------------------------------------------------


def test_what_is_no_folder_of_images_is_refused(tmp_path):
    with pytest.raises(DataError, match="nowhere is not there: give the folder that holds train/ and test/, or one"):
        load(f"folder:{tmp_path}/nowhere")
    (tmp_path / "data.zip").write_text("")
    with pytest.raises(DataError, match=r"data.zip is a file: give the folder that holds"):
        load(f"folder:{tmp_path}/data.zip")
    with pytest.raises(DataError, match="has no folders: put the images of each class into a folder named after the"):
        load(f"folder:{tmp_path}")
    tree(tmp_path, {"cat": 1, "dog": 1})
    with pytest.raises(DataError, match="no class has two different images, so none can be set aside for the test"):
        load(f"folder:{tmp_path}")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ("val", "test"),
            r"holds test/ and val/ and no train/: name the folder of the training images",
        ),
        (("train", "training", "test"), r"train/ and training/ both look like train: move one away"),
    ],
)
def test_parts_that_do_not_fit_are_refused(tmp_path, names, message):
    for name in names:
        tree(tmp_path / name, {"cat": 2, "dog": 2})
    with pytest.raises(DataError, match=message):
        load(f"folder:{tmp_path}")


def test_training_images_without_class_folders_are_refused(tmp_path):
    tree(tmp_path, {"train": 3, "test": 2})
    with pytest.raises(DataError, match=r"train has no class folders \(3 images in it\): put the images of each"):
        load(f"folder:{tmp_path}")
