"""A data set in MNIST's format, of 12 training and 5 test images."""

import gzip
import hashlib

import numpy as np

from course_lib.data.idx_files import IdxSet

COUNTS = {"train": 12, "t10k": 5}


def idx(array):
    """An IDX file as the format's description has it: two zeros, 8 for bytes, the axes, their sizes, the bytes."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def tiny_arrays():
    random = np.random.default_rng(0)
    return {
        f"{part}-{kind}": random.integers(0, high, (count, *shape), dtype=np.uint8)
        for part, count in COUNTS.items()
        for kind, high, shape in (("images-idx3-ubyte", 256, (28, 28)), ("labels-idx1-ubyte", 10, ()))
    }


ARRAYS = tiny_arrays()
FILES = {name: idx(array) for name, array in ARRAYS.items()}
SUMS = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
ARCHIVES = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in FILES.items()}
ARCHIVE_SUMS = {name: hashlib.sha256(content).hexdigest() for name, content in ARCHIVES.items()}
TINY = IdxSet("mnist", "MNIST", tuple("0123456789"), COUNTS, SUMS, {})
TINY_FASHION = TINY._replace(sha256={}, archives=ARCHIVE_SUMS)


def write_raw(root, files=FILES):
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (raw / name).write_bytes(content)
    return raw
