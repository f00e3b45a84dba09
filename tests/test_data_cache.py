"""Large folders: decoded once into a file, gone on with after a kill, and never wrong after a change."""

import json
import os
import time

import numpy as np
import pytest
from killed import decode_and_die_at_row, run_apart
from picture_files import picture, tree
from PIL import Image

from course_lib.data import DataError, cache, decoded, load
from course_lib.data.cache import Wanted
from course_lib.data.copies import find_copies


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Twenty images, and a cache of their own that takes everything."""
    monkeypatch.setattr(cache, "IN_MEMORY_BYTES", 0)
    monkeypatch.setattr(decoded, "AT_A_TIME", 4 * 90)  # four images
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    return tree(tmp_path / "images", {"a": 10, "b": 10})


@pytest.fixture
def decodings(monkeypatch):
    """The files that are decoded."""
    seen, decode = [], decoded.decode

    def counted(path, **options):
        seen.append(path.name)
        return decode(path, **options)

    monkeypatch.setattr(decoded, "decode", counted)
    return seen


def kept(tmp_path):
    return sorted((tmp_path / "cache").iterdir())


def test_what_is_kept_is_what_memory_would_hold(folder, monkeypatch):
    mapped = load(f"folder:{folder}")
    again = load(f"folder:{folder}")
    monkeypatch.setattr(cache, "IN_MEMORY_BYTES", 2**20)
    monkeypatch.setenv("COURSE_CACHE", str(folder.parent / "another"))
    assert mapped.sha256 == again.sha256 == load(f"folder:{folder}").sha256
    assert not (folder.parent / "another").exists()


def test_images_are_decoded_once(folder, decodings):
    load(f"folder:{folder}")
    assert len(decodings) == 20
    load(f"folder:{folder}")
    assert len(decodings) == 20
    load(f"folder:{folder}", image_size=4)
    assert len(decodings) == 40


@pytest.mark.parametrize("change", ["content", "date", "another file", "fit"])
def test_a_change_is_noticed(folder, decodings, change):
    options = {"image_size": 4}
    before = load(f"folder:{folder}", **options)
    path = folder / "a" / "03.png"
    if change == "content":
        picture(path, seed=77)
    elif change == "date":
        os.utime(path, (1, 1))
    elif change == "another file":
        picture(folder / "a" / "more.png", seed=77)
    else:
        options["fit"] = "stretch"
    decodings.clear()
    after = load(f"folder:{folder}", **options)
    assert len(decodings) == 20 + (change == "another file")
    assert (after.sha256 == before.sha256) == (change == "date")


def test_what_is_changed_in_memory_does_not_reach_the_file(folder):
    data = load(f"folder:{folder}")
    before = data.train.images.clone()
    data.train.images.zero_()
    assert np.array_equal(load(f"folder:{folder}").train.images, before)


def test_the_splits_are_slices_of_one_mapped_file(folder):
    data = load(f"folder:{folder}")
    train, test = (split.images.untyped_storage().data_ptr() for split in (data.train, data.test))
    assert data.train.images.data_ptr() + data.train.images.nbytes == data.test.images.data_ptr()
    assert abs(train - test) <= data.train.images.nbytes


@pytest.mark.posix
@pytest.mark.parametrize("row", [0, 3, 9, 19])
def test_a_killed_decoding_is_gone_on_with(folder, tmp_path, decodings, row):
    whole = load(f"folder:{folder}").sha256
    for path in kept(tmp_path):
        for file in path.iterdir():
            file.unlink()
    decodings.clear()
    files = sorted(folder.rglob("*.png"))
    assert run_apart(decode_and_die_at_row, folder, tmp_path / "cache", row)
    assert not any((path / cache.KEPT).exists() for path in kept(tmp_path))
    assert load(f"folder:{folder}").sha256 == whole
    fewest, most = max(0, row - 2) // 4 * 4, row // 4 * 4  # marked four at a time, two pictures behind the decoding
    assert fewest <= len(files) - len(decodings) <= most


def test_bad_files_leave_no_gap_and_are_named_from_the_cache_too(folder, tmp_path):
    content = (folder / "b" / "05.png").read_bytes()
    (folder / "b" / "05.png").write_bytes(content[:-40])
    (folder / "a" / "01.png").write_bytes(b"")
    for known in (1, 2):  # what cannot even be opened is refused before anything is decoded
        with pytest.raises(DataError, match=rf"^{known} bad files?: .*/a/01\.png is empty"):
            load(f"folder:{folder}")
        data = load(f"folder:{folder}", skip_bad=True)
        assert (len(data.train) + len(data.test), "2 bad files skipped" in data.notes) == (18, True)
    assert len([path for path in kept(tmp_path) if (path / cache.KEPT).exists()]) == 1
    files = [file for file in sorted(folder.rglob("*.png")) if file.name not in ("01.png", "05.png")]
    pictures = cache.decoded(sorted(folder.rglob("*.png")), Wanted())
    kept_files = [file for file in sorted(folder.rglob("*.png")) if file not in {bad.path for bad in pictures.bad}]
    assert set(files) < set(kept_files)
    for image, file in zip(pictures.images, kept_files, strict=True):
        with Image.open(file) as expected:
            assert np.array_equal(image.transpose(1, 2, 0), expected)


def test_notes_come_from_the_cache_too(folder):
    picture(folder / "a" / "turned.jpg", size=(5, 6), orientation=6)
    first, second = load(f"folder:{folder}").notes, load(f"folder:{folder}").notes
    assert first == second
    assert "1 turned upright as the EXIF tag says" in first


def test_a_full_disk_is_said_and_nothing_is_written_beyond_it(folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache, "_reserve", full)
    with pytest.raises(
        DataError,
        match=r"^20 images of 5x6 need 0.0 GiB in \S+ \(No space left on device\): make room, ask for smaller",
    ):
        load(f"folder:{folder}")


def test_a_cache_that_cannot_be_written_to_is_named(folder, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match="or name another folder in COURSE_CACHE"):
        load(f"folder:{folder}")


def test_what_nobody_asked_for_in_a_month_is_removed(folder, tmp_path):
    load(f"folder:{folder}")
    (old,) = kept(tmp_path)
    for file in old.iterdir():
        os.utime(file, (time.time() - cache.STALE_SECONDS - 60,) * 2)
    load(f"folder:{folder}", image_size=4)
    (new,) = kept(tmp_path)
    assert new != old
    assert json.loads((new / cache.KEPT).read_text())["shape"] == [20, 3, 4, 4]


def test_copies_are_found_by_content_alone(tmp_path):
    files = [tmp_path / f"{index}" for index in range(5)]
    for file, content in zip(files, [b"one", b"two", b"one", b"three", b""], strict=True):
        file.write_bytes(content)
    assert find_copies([*files, tmp_path / "gone"]) == [[files[0], files[2]]]
