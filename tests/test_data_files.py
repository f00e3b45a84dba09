"""IDX files: whole, or refused in one line that says what to do."""

import gzip
import hashlib

import pytest
import torch
import torchvision
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_idx import ARCHIVES, ARRAYS, FILES, SUMS, TINY, TINY_FASHION, write_raw

from course_lib.data import DataError, is_at_hand, load
from course_lib.data.idx_files import find_idx
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
    away = root / "MNIST" if (root / "MNIST").exists() else root
    assert text.partition(": put the right file there, or move ")[2].startswith(str(away))
    assert text.endswith(" away and load again to download it afresh")


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
    assert_refused(which, root, rf"MNIST/raw/{name} is missing beside t")


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


# ---- where people have put them --------------------------------------------------------------------------------------

DOTTED = {name.replace("-idx", ".idx"): content for name, content in FILES.items()}
OWN_FOLDERS = {f"{name}/{name}": content for name, content in FILES.items()}


@pytest.mark.parametrize("files", [FILES, ARCHIVES, DOTTED, OWN_FOLDERS], ids=["raw", "gz", "dots", "own folders"])
@pytest.mark.parametrize("place", ["MNIST/raw", "MNIST", "mnist", "."])
@pytest.mark.parametrize("which", [TINY, TINY_FASHION], ids=["sums of files", "sums of archives"])
def test_files_are_found_where_people_put_them_and_stay_as_they_are(tmp_path, which, place, files):
    for name, content in files.items():
        path = tmp_path / place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    before = sorted(tmp_path.rglob("*"))
    data = load_idx(which, tmp_path)
    assert torch.equal(data.train.images[:, 0], torch.from_numpy(ARRAYS["train-images-idx3-ubyte"]))
    assert data.test.labels.tolist() == ARRAYS["t10k-labels-idx1-ubyte"].tolist()
    assert sorted(tmp_path.rglob("*")) == before


def test_files_of_another_set_in_the_same_folder_are_not_taken(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    assert find_idx(TINY, tmp_path) is not None
    assert find_idx(TINY._replace(sha256=dict.fromkeys(SUMS, "another sum")), tmp_path) is None
    assert find_idx(TINY_FASHION._replace(others=frozenset(SUMS.values())), tmp_path) is None


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_of_the_wrong_bytes_is_refused(tmp_path, name):
    write_raw(tmp_path, ARCHIVES | {name: ARCHIVES[name][:-6]})
    assert_refused(TINY_FASHION, tmp_path, rf"{name} is corrupted, its sha256 is")
    assert_refused(TINY, tmp_path, rf"{name} is corrupted, it cannot be unpacked")
    stem = name.removesuffix(".gz")
    changed = bytes([FILES[stem][0] ^ 1]) + FILES[stem][1:]
    write_raw(tmp_path, {name: gzip.compress(changed, mtime=0)})
    assert_refused(TINY, tmp_path, rf"{name} is corrupted, what it holds has another sha256 than {SUMS[stem]}")
    write_raw(tmp_path, {name: gzip.compress(FILES[stem][:-1], mtime=0)})
    assert_refused(TINY, tmp_path, rf"{name} holds {len(FILES[stem]) - 1:,} bytes, expected {len(FILES[stem]):,}")


def test_a_folder_of_some_archives_names_what_is_missing(tmp_path):
    write_raw(tmp_path, {name: content for name, content in ARCHIVES.items() if "t10k-labels" not in name})
    assert_refused(TINY, tmp_path, "raw/t10k-labels-idx1-ubyte is missing beside train-images-idx3-ubyte.gz")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(sorted(FILES)),
    packed=st.booleans(),
    changes=st.lists(st.tuples(st.integers(0, 10**4), st.integers(0, 255)), max_size=4),
    length=st.integers(0, 10**4),
)
def test_any_bytes_give_the_data_or_a_data_error(tmp_path, name, packed, changes, length):
    files = dict(ARCHIVES if packed else FILES)
    key = f"{name}.gz" if packed else name
    content = bytearray(files[key])
    for place, value in changes:
        content[place % len(content)] = value
    files[key] = bytes(content[:length])
    write_raw(tmp_path, files)
    message, count = "put the right file there", 12
    try:
        count = len(load_idx(TINY._replace(sha256={}), tmp_path).train)
    except DataError as error:
        message = str(error)
    assert count == 12
    assert "put the right file there" in message
    for written in files:
        (tmp_path / "MNIST" / "raw" / written).unlink()


def test_what_is_at_hand_is_said_without_looking_further(tmp_path):
    assert is_at_hand("digits")
    assert not any(is_at_hand(name, tmp_path) for name in ("mnist", "fashion_mnist", "cifar10"))
    write_raw(tmp_path, ARCHIVES)
    assert is_at_hand("mnist", tmp_path)
    assert not is_at_hand("fashion_mnist", tmp_path)
    (tmp_path / "MNIST" / "raw" / "t10k-labels-idx1-ubyte.gz").unlink()
    assert not is_at_hand("mnist", tmp_path)
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(b"")
    assert is_at_hand("cifar10", tmp_path)
    assert is_at_hand(f"folder:{tmp_path}")
    assert not is_at_hand(f"folder:{tmp_path}/nowhere")
    with pytest.raises(ValueError, match=r"name must be one of digits, .*, got 'imagenet'"):
        is_at_hand("imagenet")
