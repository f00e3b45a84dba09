"""One image file to pixels: what is in it, and what has to be done to make it 8 bits of grey or of red, green, blue."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from enum import IntFlag
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from course_lib.data.errors import BadFileError

SUFFIXES = frozenset(
    ".avif .bmp .dib .gif .j2k .jfif .jp2 .jpe .jpeg .jpg .pbm .pgm .png .pnm .ppm .tga .tif .tiff .webp".split()
)
# Images too, which Pillow does not read: to be named, not passed over.
FOREIGN_SUFFIXES = frozenset(
    ".arw .cr2 .cr3 .dcm .dng .exr .hdr .heic .heif .jxl .jxr .nef .nii .orf .psd .raf .raw .rw2 .svg".split()
)
SCALED = {"crop": "cropped about the middle", "stretch": "stretched to another shape", "pad": "padded with black"}
FITS = tuple(SCALED)
GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N"})
DARK_16_BIT = 4096  # a picture that stays below is of 12 bits at most
SWAPS_SIDES = frozenset({5, 6, 7, 8})  # values of the EXIF tag Orientation
ORIENTATION = 0x0112


class Done(IntFlag):
    """What was done to a picture, apart from scaling it: the bits of one byte."""

    DECODED = 1
    TURNED = 2
    OPAQUE = 4
    TO_8_BITS = 8
    FIRST_FRAME = 16
    FROM_CMYK = 32
    DARK = 64


REMARKS = {
    Done.TURNED: "turned upright as the EXIF tag says",
    Done.OPAQUE: "with transparency laid on white",
    Done.TO_8_BITS: "of 16 bits scaled to 8",
    Done.DARK: "of these of 12 bits or fewer, and so nearly black: stretch them to the whole range first",
    Done.FIRST_FRAME: "with several frames, the first one taken",
    Done.FROM_CMYK: "turned from CMYK to RGB",
}


class Header(NamedTuple):
    """What a file says of its picture before anything is decoded.

    Args:
        height, width: in pixels, upright.
        mode: Pillow's, such as "RGB" or "I;16".
        format: Pillow's, such as "JPEG".
    """

    height: int
    width: int
    mode: str
    format: str

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.height, self.width

    @property
    def is_grey(self) -> bool:
        """Whether one channel holds all of it; a palette counts as colour."""
        return self.mode in GREY_MODES


def read_header(path: Path) -> Header:
    """Size and mode of a picture.

    Raises:
        BadFileError: it cannot be opened, or has pixels that no scale of black and white is known of.
    """
    with _opened(path) as image:
        _refuse_unscaled(path, image)
        height, width = image.height, image.width
        if image.format != "TIFF" and _orientation(image) in SWAPS_SIDES:  # Pillow has turned a TIFF's sides itself
            height, width = width, height
        return Header(height, width, image.mode, image.format or "?")


def decode(
    path: Path, *, channels: int = 3, size: tuple[int, int] | None = None, fit: str = "crop"
) -> tuple[np.ndarray, Done]:
    """The pixels of a picture, uint8 (H, W, channels), and what was done to it.

    Transparency is laid on white. 16 bits are scaled to 8 by the whole range. Of several frames the first is taken.
    A picture that its EXIF tag says to turn is turned. CMYK becomes RGB by Pillow's formula, without colour profiles.

    Args:
        channels: 3 for RGB; 1 for grey, as luma where the picture has colours.
        size: (height, width) to scale to; None leaves it.
        fit: "crop" keeps the shape and cuts the longer side about the middle, "pad" keeps all of it between black
            bars, "stretch" changes the shape.

    Raises:
        BadFileError: it cannot be decoded.
    """
    with _opened(path) as image:
        _refuse_unscaled(path, image)
        done = Done.DECODED | _wide(image)  # before it is loaded, which forgets how it is stored
        if getattr(image, "is_animated", False) and image.format != "MPO":  # a phone's MPO: previews, then depth
            done |= Done.FIRST_FRAME
            image.seek(0)
        if _orientation(image) not in (None, 1):  # a TIFF forgets it when it is loaded
            done |= Done.TURNED
        image.load()
        if _orientation(image) not in (None, 1):  # a PNG may have it behind the pixels
            done |= Done.TURNED
        flat, done = _eight_bits(ImageOps.exif_transpose(image), done)
        flat = flat.convert("L" if channels == 1 else "RGB")
        if size is not None:
            flat = _scaled(flat, size, fit)
        return np.asarray(flat).reshape(flat.height, flat.width, channels), done


@contextlib.contextmanager
def quiet_metadata() -> Iterator[None]:
    """A context without Pillow's warnings about metadata and large sizes; for the main thread, around all others.

    A picture that decodes is whole: the warnings are about tags that are not used. Sizes are limited by Pillow's error.
    """
    with warnings.catch_warnings():
        for category in (UserWarning, Image.DecompressionBombWarning):
            warnings.simplefilter("ignore", category)
        yield


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The file as Pillow opens it; whatever its decoders raise on damaged bytes becomes a ``BadFileError``."""
    try:
        if path.stat().st_size == 0:
            raise BadFileError(path, "is empty")
        # not by its name: Pillow would map an uncompressed TIFF into memory, and turn it wrongly where EXIF says to
        with path.open("rb") as file, Image.open(file) as image:
            if not min(image.size):
                raise BadFileError(path, "has no pixels")
            yield image
    except BadFileError:
        raise
    except Image.UnidentifiedImageError:
        raise BadFileError(path, f"is no image that Pillow reads ({_beginning(path)})") from None
    except Image.DecompressionBombError:
        limit = 2 * Image.MAX_IMAGE_PIXELS
        raise BadFileError(path, f"has more than {limit:,} pixels, too many to open safely: scale it down") from None
    except MemoryError:
        raise BadFileError(path, "needs more memory than there is") from None
    except OSError as error:
        raise BadFileError(path, f"cannot be read ({error.strerror or _first_line(error)})") from None
    except Exception as error:  # the decoders raise TypeError, struct.error, KeyError and others on damaged bytes
        raise BadFileError(path, f"cannot be decoded ({_first_line(error)})") from None


def _refuse_unscaled(path: Path, image: Image.Image) -> None:
    if image.mode == "F" or (image.mode == "I" and image.format not in ("PNG", "PPM")):
        kind = "floating-point" if image.mode == "F" else "signed or 32-bit"
        raise BadFileError(path, f"has {kind} pixels, whose black and white are not known: save it with 8 or 16 bits")


def _orientation(image: Image.Image) -> int | None:
    """The EXIF tag, as far as it is known without decoding."""
    if image.format == "PNG" and "exif" not in image.info and image.tile:  # Pillow would decode it to look behind
        return None
    try:
        return image.getexif().get(ORIENTATION)
    except Exception:  # damaged metadata of a picture that may be whole: there is no orientation then
        return None


def _wide(image: Image.Image) -> Done:
    """Whether 16 bits a channel become 8 (Pillow itself keeps the upper byte of 16-bit colours)."""
    wide = image.mode.startswith("I") or any("16" in str(tile[3]) for tile in image.tile)
    return Done.TO_8_BITS if wide else Done(0)


def _eight_bits(image: Image.Image, done: Done) -> tuple[Image.Image, Done]:
    """The picture with 8 bits a channel and no transparency."""
    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.int64)
        if values.max() < DARK_16_BIT:
            done |= Done.DARK
        return Image.fromarray(((values.clip(0, 65535) + 128) // 257).astype(np.uint8)), done
    if image.mode == "CMYK":
        return image.convert("RGB"), done | Done.FROM_CMYK
    if image.has_transparency_data:
        full = image.convert("RGBA")
        if full.getchannel("A").getextrema()[0] < 255:
            white = Image.new("RGBA", full.size, "white")
            return Image.alpha_composite(white, full).convert("RGB"), done | Done.OPAQUE
        return full.convert("RGB"), done
    return image, done


def _scaled(image: Image.Image, size: tuple[int, int], fit: str) -> Image.Image:
    height, width = size
    if fit == "stretch":
        return image.resize((width, height), Image.Resampling.BILINEAR)
    scale = ImageOps.pad if fit == "pad" else ImageOps.fit
    return scale(image, (width, height), Image.Resampling.BILINEAR)


def _beginning(path: Path) -> str:
    """How a file begins, for the reader to guess what it is: a page of HTML, a pointer of git-lfs."""
    with path.open("rb") as file:
        return f"it begins with {file.read(16)!r}"


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def looks_like_a_picture(path: Path) -> bool:
    """Whether a file begins as a picture does; for those without a suffix."""
    try:
        with quiet_metadata(), path.open("rb") as file, Image.open(file):
            return True
    except Exception:  # the decoders raise all sorts of errors on other bytes
        return False
