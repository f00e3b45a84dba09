"""IDX files: whole, or refused in one line that says what to do."""

import hashlib

import pytest
import torch
import torchvision
from tiny_idx import ARCHIVES, ARRAYS, FILES, SUMS, TINY, TINY_FASHION, write_raw

from course_lib.data import DataError, load
from course_lib.data.mnist import FASHION_MNIST, MNIST, load_idx


@pytest.fixture
def raw(tmp_path):
    return write_raw(tmp_path)


def assert_refused(which, root, message):
    """The data are refused with this message: one line, which ends with the remedy."""
    with pytest.raises(DataError, match=message) as caught:
        load_idx(which, root)
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(f": delete {root / 'MNIST'} and load again to download it afresh")


@pytest.mark.parametrize("which", [TINY, TINY_FASHION], ids=["sums of files", "sums of archives"])
def test_idx_files_become_splits(raw, which):
    data = load_idx(which, raw.parent.parent)
    assert torch.equal(data.train.images[:, 0], torch.from_numpy(ARRAYS["train-images-idx3-ubyte"]))
    assert data.train.labels.tolist() == ARRAYS["train-labels-idx1-ubyte"].tolist()
    assert torch.equal(data.test.images[:, 0], torch.from_numpy(ARRAYS["t10k-images-idx3-ubyte"]))
    assert data.test.labels.tolist() == ARRAYS["t10k-labels-idx1-ubyte"].tolist()


@pytest.mark.parametrize("which", [TINY, TINY_FASHION], ids=["sums of files", "sums of archives"])
@pytest.mark.parametrize("name", FILES)
def test_a_missing_or_truncated_file_is_refused(raw, which, name):
    root, whole = raw.parent.parent, len(FILES[name])
    (raw / name).write_bytes(FILES[name][:-1])
    assert_refused(which, root, rf"MNIST/raw/{name} has {whole - 1:,} bytes, expected {whole:,}:")
    (raw / name).unlink()
    assert_refused(which, root, rf"MNIST/raw/{name} is missing:")


def test_a_changed_byte_is_refused_by_the_sum(raw):
    content = bytearray(FILES["t10k-images-idx3-ubyte"])
    content[100] ^= 1
    (raw / "t10k-images-idx3-ubyte").write_bytes(content)
    found = hashlib.sha256(content).hexdigest()
    expected = SUMS["t10k-images-idx3-ubyte"]
    assert_refused(TINY, raw.parent.parent, rf"is corrupted, its sha256 is {found}, expected {expected}:")


@pytest.mark.parametrize("place", [2, 3, 7, 11], ids=["type", "axes", "count", "height"])
def test_without_a_sum_the_header_must_be_right(raw, place):
    content = bytearray(FILES["train-images-idx3-ubyte"])
    content[place] ^= 1
    (raw / "train-images-idx3-ubyte").write_bytes(content)
    assert_refused(TINY_FASHION, raw.parent.parent, "is corrupted, it does not begin as an IDX file of 12x28x28 bytes:")


def test_without_a_sum_a_label_without_class_is_refused(raw):
    (raw / "t10k-labels-idx1-ubyte").write_bytes(FILES["t10k-labels-idx1-ubyte"][:-1] + b"\x0a")
    assert_refused(TINY_FASHION, raw.parent.parent, "t10k-labels-idx1-ubyte is corrupted, it has a label above 9:")


def test_a_file_is_compared_with_its_archive(raw):
    root = raw.parent.parent
    write_raw(root, ARCHIVES)
    assert len(load_idx(TINY_FASHION, root).train) == 12
    content = bytearray(FILES["train-images-idx3-ubyte"])
    content[-1] ^= 1
    (raw / "train-images-idx3-ubyte").write_bytes(content)
    assert_refused(TINY_FASHION, root, "is corrupted, it is not what train-images-idx3-ubyte.gz holds:")


def test_a_damaged_archive_is_refused(raw):
    root, packed = raw.parent.parent, ARCHIVES["train-images-idx3-ubyte.gz"]
    (raw / "train-images-idx3-ubyte.gz").write_bytes(packed[:-5])
    assert_refused(TINY_FASHION, root, r"train-images-idx3-ubyte\.gz is corrupted, its sha256 is")
    assert_refused(TINY_FASHION._replace(archives={}), root, "it is not what train-images-idx3-ubyte.gz holds:")


def test_a_file_that_cannot_be_read_is_refused(raw):
    (raw / "train-images-idx3-ubyte").unlink()
    (raw / "train-images-idx3-ubyte").mkdir()
    assert_refused(TINY, raw.parent.parent, r"train-images-idx3-ubyte cannot be read \(Is a directory\)")


def test_the_sums_are_of_the_files_that_torchvision_names():
    assert [len(which.sha256 or which.archives) for which in (MNIST, FASHION_MNIST)] == [4, 4]
    assert [f"{name}.gz" for name in MNIST.sha256] == [name for name, _ in torchvision.datasets.MNIST.resources]
    assert list(FASHION_MNIST.archives) == [name for name, _ in torchvision.datasets.FashionMNIST.resources]
    assert list(FASHION_MNIST.classes) == torchvision.datasets.FashionMNIST.classes


@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST"), ("fashion_mnist", "FashionMNIST")])
def test_load_looks_in_the_root_that_it_is_given_and_in_course_data(tmp_path, monkeypatch, name, folder):
    (tmp_path / folder).mkdir()
    with pytest.raises(DataError, match=f"{tmp_path}/{folder}/raw/train-images-idx3-ubyte is missing"):
        load(name, tmp_path)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    with pytest.raises(DataError, match=f"{tmp_path}/{folder}/raw/train-images-idx3-ubyte is missing"):
        load(name)
