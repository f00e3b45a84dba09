"""Downloads: a whole data set appears in one step, or nothing does."""

import hashlib
import os
import pickle
import socket
import tarfile
import time
import urllib.error

import numpy as np
import pytest
import torchvision
from killed import download_half_of_mnist, run_apart
from tiny_idx import FILES, TINY, write_raw

from course_lib.data import DataError, cifar, load
from course_lib.data.files import STALE_SECONDS, TIMEOUT_SECONDS
from course_lib.data.mnist import load_idx


@pytest.fixture
def downloader(monkeypatch):
    """Stands in for torchvision's: calls what the test sets as ``fetch`` with the parent folder."""

    class Downloader:
        fetch = staticmethod(write_raw)
        calls = 0

        def __call__(self, parent, download):
            assert download
            self.calls += 1
            self.fetch(parent)

    made = Downloader()
    monkeypatch.setattr(torchvision.datasets, "MNIST", made)
    return made


def names_in(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_download_is_made_once(tmp_path, downloader):
    root = tmp_path / "not" / "there"
    first, second = load_idx(TINY, root), load_idx(TINY, root)
    assert first.sha256 == second.sha256
    assert downloader.calls == 1
    assert names_in(root) == ["MNIST"]


def test_the_data_appears_in_one_step(tmp_path, downloader):
    seen = []

    def fetch(parent):
        for name, content in FILES.items():
            write_raw(parent, {name: content})
            seen.append((tmp_path / "MNIST").exists())
        assert parent.parent == tmp_path

    downloader.fetch = fetch
    load_idx(TINY, tmp_path)
    assert seen == [False] * 4


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (urllib.error.URLError("no route to host"), "no route to host"),
        (TimeoutError(), "TimeoutError"),
        (RuntimeError("File not found or corrupted."), "File not found or corrupted."),
        (ConnectionResetError(104, "reset\nby peer"), "reset by peer"),
        (EOFError("ended early"), "ended early"),
    ],
)
def test_a_failed_download_leaves_nothing_and_says_what_to_do(tmp_path, downloader, error, reason):
    def fetch(parent):
        write_raw(parent, {"train-images-idx3-ubyte": FILES["train-images-idx3-ubyte"][:100]})
        raise error

    downloader.fetch = fetch
    with pytest.raises(
        DataError,
        match=rf"^mnist is not in {tmp_path}/MNIST/raw, .*, and could not be downloaded to {tmp_path} \(.*{reason}.*\)",
    ) as got:
        load_idx(TINY, tmp_path)
    assert 'use "digits", which needs no download' in str(got.value)
    assert "\n" not in str(got.value)
    assert names_in(tmp_path) == []
    downloader.fetch = write_raw
    assert len(load_idx(TINY, tmp_path).train) == 12


def test_a_download_of_the_wrong_bytes_leaves_nothing(tmp_path, downloader):
    downloader.fetch = lambda parent: write_raw(
        parent, FILES | {"t10k-labels-idx1-ubyte": FILES["t10k-labels-idx1-ubyte"][:-2]}
    )
    with pytest.raises(
        DataError, match=r"could not be downloaded .*t10k-labels-idx1-ubyte has 11 bytes, expected 13\)"
    ):
        load_idx(TINY, tmp_path)
    assert names_in(tmp_path) == []


def test_an_interrupted_download_leaves_nothing(tmp_path, downloader):
    def fetch(parent):
        write_raw(parent)
        raise KeyboardInterrupt

    downloader.fetch = fetch
    with pytest.raises(KeyboardInterrupt):
        load_idx(TINY, tmp_path)
    assert names_in(tmp_path) == []


def test_a_silent_server_is_given_up(tmp_path, downloader):
    seen = []
    downloader.fetch = lambda parent: (seen.append(socket.getdefaulttimeout()), write_raw(parent))
    load_idx(TINY, tmp_path)
    assert (seen, socket.getdefaulttimeout()) == ([TIMEOUT_SECONDS], None)


def test_a_folder_that_another_process_put_in_place_is_kept(tmp_path, downloader):
    downloader.fetch = lambda parent: (write_raw(parent), write_raw(tmp_path))
    assert len(load_idx(TINY, tmp_path).train) == 12
    assert names_in(tmp_path) == ["MNIST"]


def test_a_place_that_cannot_be_written_to_is_named(tmp_path, downloader):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        DataError, match=r"mnist cannot be stored in .*/file \(.*\): set COURSE_DATA to a folder that you"
    ):
        load_idx(TINY, tmp_path / "file")
    assert downloader.calls == 0


@pytest.mark.posix
def test_a_killed_download_leaves_no_data_set_and_the_next_one_succeeds(tmp_path, downloader):
    assert run_apart(download_half_of_mnist, tmp_path)
    (leftover,) = names_in(tmp_path)
    assert leftover.startswith(".download-")
    assert len(load_idx(TINY, tmp_path).train) == 12
    assert names_in(tmp_path) == [leftover, "MNIST"]


def test_what_a_killed_download_left_is_removed_a_day_later(tmp_path, downloader):
    for name, age in ((".download-old", STALE_SECONDS + 60), (".download-new", STALE_SECONDS - 60)):
        (tmp_path / name / "MNIST").mkdir(parents=True)
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    load_idx(TINY, tmp_path)
    assert names_in(tmp_path) == [".download-new", "MNIST"]


# ---- CIFAR-10 --------------------------------------------------------------------------------------------------------


def batch(seed, count):
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (count, 3072), dtype=np.uint8)
    return pickle.dumps({"data": pixels, "labels": random.integers(0, 10, count).tolist()})


BATCHES = {f"data_batch_{number}": batch(number, 3) for number in range(1, 6)} | {"test_batch": batch(9, 4)}
ARCHIVE = b"the packed batches"


@pytest.fixture
def small_cifar(monkeypatch):
    """The sums of small batches in place of those of CIFAR-10, and a download that writes them."""
    md5 = {name: hashlib.md5(content).hexdigest() for name, content in BATCHES.items()}
    test = {"test_batch": md5.pop("test_batch")}
    monkeypatch.setattr(cifar, "TRAIN_MD5", md5)
    monkeypatch.setattr(cifar, "TEST_MD5", test)
    monkeypatch.setattr(cifar, "ARCHIVE_SHA256", hashlib.sha256(ARCHIVE).hexdigest())

    def fetch(parent, download):
        (parent / "cifar-10-batches-py").mkdir()
        for name, content in BATCHES.items():
            (parent / "cifar-10-batches-py" / name).write_bytes(content)
        (parent / "cifar-10-python.tar.gz").write_bytes(ARCHIVE)

    monkeypatch.setattr(torchvision.datasets, "CIFAR10", fetch)


def test_cifar_batches_become_splits(tmp_path, small_cifar):
    data = load("cifar10", tmp_path)
    assert (data.image_shape, len(data.train), len(data.test)) == ((3, 32, 32), 15, 4)
    second = pickle.loads(BATCHES["data_batch_2"])
    assert data.train.labels[3:6].tolist() == second["labels"]
    red, green, blue = second["data"][0].reshape(3, 32, 32)
    assert np.array_equal(data.train.images[3], np.stack([red, green, blue]))
    assert data.classes[:2] == ("airplane", "automobile")
    assert names_in(tmp_path) == ["cifar-10-batches-py"]


def test_cifar_is_read_from_its_archive_where_that_is_at_hand(tmp_path, small_cifar, monkeypatch):
    expected = load("cifar10", tmp_path / "downloaded").sha256
    with tarfile.open(tmp_path / "cifar-10-python.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "downloaded" / "cifar-10-batches-py", "cifar-10-batches-py")
    packed = (tmp_path / "cifar-10-python.tar.gz").read_bytes()
    monkeypatch.setattr(cifar, "ARCHIVE_SHA256", hashlib.sha256(packed).hexdigest())
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", None)
    assert load("cifar10", tmp_path).sha256 == expected
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(packed[:-9])
    with pytest.raises(DataError, match=r"cifar-10-python\.tar\.gz is corrupted, its sha256 is"):
        load("cifar10", tmp_path)


def test_a_failed_download_removes_the_folders_that_it_made(tmp_path, downloader):
    def fetch(parent):
        raise TimeoutError

    downloader.fetch = fetch
    with pytest.raises(DataError, match="could not be downloaded"):
        load_idx(TINY, tmp_path / "not" / "there")
    assert names_in(tmp_path) == []


def test_a_damaged_cifar_batch_is_refused_before_it_is_opened(tmp_path, small_cifar):
    folder = tmp_path / "cifar-10-batches-py"
    load("cifar10", tmp_path)
    (folder / "data_batch_3").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    remedy = f"put the right file there, or move {folder} away and load again to download it afresh$"
    with pytest.raises(DataError, match=rf"data_batch_3 is corrupted, its md5 is \w+, expected \w+: {remedy}"):
        load("cifar10", tmp_path)
    (folder / "data_batch_3").unlink()
    with pytest.raises(DataError, match=rf"data_batch_3 is missing: {remedy}"):
        load("cifar10", tmp_path)


def test_a_cifar_archive_of_the_wrong_bytes_leaves_nothing(tmp_path, small_cifar, monkeypatch):
    monkeypatch.setattr(cifar, "ARCHIVE_SHA256", "0" * 64)
    with pytest.raises(
        DataError, match=r"^cifar10 is not in .*, and could not be downloaded .*tar\.gz is corrupted, its sha256 is"
    ):
        load("cifar10", tmp_path)
    assert names_in(tmp_path) == []


def test_the_cifar_sums_are_torchvisions():
    theirs = torchvision.datasets.CIFAR10
    assert list(cifar.TRAIN_MD5.items()) == [tuple(entry) for entry in theirs.train_list]
    assert list(cifar.TEST_MD5.items()) == [tuple(entry) for entry in theirs.test_list]
    assert (theirs.base_folder, theirs.filename) == (cifar.FOLDER, cifar.ARCHIVE)
