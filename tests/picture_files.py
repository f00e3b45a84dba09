"""Picture files as people have them, written with Pillow or by hand."""

import struct
import zlib

import numpy as np
from PIL import Image

ORIENTATION = 0x0112


def pixels_of(size=(6, 5), seed=0):
    """Random colours, (H, W, 3), for a picture of (width, height)."""
    return np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)


def picture(path, size=(6, 5), seed=0, mode="RGB", orientation=None, **options):
    """Write a picture of (width, height), in the format that the suffix says; return its colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = pixels_of(size, seed)
    if orientation is not None:
        options["exif"] = Image.Exif()
        options["exif"][ORIENTATION] = orientation
    Image.fromarray(pixels).convert(mode).save(path, **options)
    return pixels


def tree(root, counts, first_seed=0, **options):
    """Write pictures ``root/NAME/0.png`` and so on, so many for each name; all differ."""
    for number, (name, count) in enumerate(counts.items()):
        for index in range(count):
            picture(root / name / f"{index:02}.png", seed=first_seed + 1000 * number + index, **options)
    return root


def png_of_16_bits(values, colour_type):
    """A PNG file of 16 bits a channel, as its specification has it; values (H, W) or (H, W, channels) of uint16."""
    height, width = values.shape[:2]
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in values)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
