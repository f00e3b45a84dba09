"""One picture file: decoded rightly whatever its kind, or refused with the reason."""

import io
import os
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from picture_files import ORIENTATION, picture, pixels_of, png_of_16_bits
from PIL import Image

from course_lib.data import DataError
from course_lib.data.pictures import Done, decode, quiet_metadata, read_header

EXACT = [("x.png", {}), ("x.bmp", {}), ("x.tiff", {}), ("x.tif", {"compression": "tiff_lzw"}), ("x.ppm", {}),
         ("x.webp", {"lossless": True}), ("X.PNG", {}), ("x.jp2", {"irreversible": False}), ("x.tga", {})]  # fmt: skip


@pytest.mark.parametrize(("name", "options"), EXACT)
def test_formats_without_loss_give_the_pixels_that_were_written(tmp_path, name, options):
    pixels = picture(tmp_path / name, **options)
    found, done = decode(tmp_path / name)
    assert np.array_equal(found, pixels)
    assert done == Done.DECODED
    assert read_header(tmp_path / name).size == (5, 6)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_modes_of_8_bits_become_pillows_rgb(tmp_path, mode):
    path = tmp_path / "x.tiff"
    writable = mode if mode not in ("HSV",) else "RGB"
    picture(path, mode=writable)
    with Image.open(path) as image:
        expected = np.asarray(image.convert("RGB"))
    assert np.array_equal(decode(path)[0], expected)


@pytest.mark.parametrize(("mode", "is_grey"), [("1", True), ("L", True), ("LA", True), ("P", False), ("RGB", False)])
def test_a_header_says_whether_one_channel_holds_all(tmp_path, mode, is_grey):
    picture(tmp_path / "x.png", mode=mode)
    assert read_header(tmp_path / "x.png").is_grey == is_grey


def test_a_palette_gives_its_colours(tmp_path):
    indices = np.array([[0, 1, 2], [2, 1, 0]], dtype=np.uint8)
    image = Image.fromarray(indices, mode=None).convert("P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    image.save(tmp_path / "x.gif")
    colours = np.array([[10, 20, 30], [40, 50, 60], [70, 80, 90]])
    assert np.array_equal(decode(tmp_path / "x.gif")[0], colours[indices])


def test_transparency_is_laid_on_white_and_said(tmp_path):
    colours = np.array([[[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 128]]], dtype=np.uint8)
    Image.fromarray(colours).save(tmp_path / "x.png")
    found, done = decode(tmp_path / "x.png")
    share = 128 / 255
    mixed = [share * value + (1 - share) * 255 for value in (200, 100, 0)]
    assert np.abs(found[0].astype(float) - [[200, 100, 0], [255, 255, 255], mixed]).max() <= 1
    assert done == Done.DECODED | Done.OPAQUE


def test_an_opaque_alpha_is_not_said(tmp_path):
    pixels = picture(tmp_path / "x.png", mode="RGBA")
    found, done = decode(tmp_path / "x.png")
    assert np.array_equal(found, pixels)
    assert done == Done.DECODED


def test_a_transparent_palette_is_laid_on_white(tmp_path):
    image = Image.fromarray(np.array([[0, 1]], dtype=np.uint8)).convert("P")
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.save(tmp_path / "x.png", transparency=0)
    assert decode(tmp_path / "x.png")[0].tolist() == [[[255, 255, 255], [40, 50, 60]]]


LEVELS = np.array([[0, 1000, 30_000], [65_535, 257, 40_000]], dtype=np.uint16)


def written_as(kind, path):
    if kind == "grey png":
        path.with_suffix(".png").write_bytes(png_of_16_bits(LEVELS, 0))
        return path.with_suffix(".png")
    if kind == "colour png":
        path.with_suffix(".png").write_bytes(png_of_16_bits(np.stack([LEVELS] * 3, axis=2), 2))
        return path.with_suffix(".png")
    if kind == "pgm":
        path.with_suffix(".pgm").write_bytes(b"P5 3 2 65535\n" + LEVELS.astype(">u2").tobytes())
        return path.with_suffix(".pgm")
    options = {"compression": "tiff_lzw"} if kind == "packed tiff" else {}
    Image.fromarray(LEVELS).save(path.with_suffix(".tif"), **options)
    return path.with_suffix(".tif")


@pytest.mark.parametrize("kind", ["grey png", "colour png", "pgm", "tiff", "packed tiff"])
def test_16_bits_are_scaled_by_the_whole_range(tmp_path, kind):
    path = written_as(kind, tmp_path / "x")
    found, done = decode(path)
    assert np.abs(found[:, :, 0] - LEVELS / 257).max() < 1
    assert done == Done.DECODED | Done.TO_8_BITS


def test_16_bits_that_use_12_are_said_to_be_dark(tmp_path):
    Image.fromarray(LEVELS // 16).save(tmp_path / "x.tif")
    assert Done.DARK in decode(tmp_path / "x.tif")[1]


@pytest.mark.parametrize(("kind", "said"), [("f4", "floating-point"), ("i4", "signed or 32-bit")])
def test_pixels_without_a_known_scale_are_refused(tmp_path, kind, said):
    Image.fromarray(LEVELS.astype(kind)).save(tmp_path / "x.tif")
    for reader in (read_header, decode):
        with pytest.raises(DataError, match=f"x.tif has {said} pixels, whose black and white are not known: save it"):
            reader(tmp_path / "x.tif")


TURNS = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels, 2).swapaxes(0, 1),
    8: lambda pixels: np.rot90(pixels, 1),
}


@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
@pytest.mark.parametrize("orientation", TURNS)
def test_a_picture_is_turned_as_exif_says(tmp_path, orientation, suffix):
    path = tmp_path / f"x.{suffix}"
    pixels = picture(path, orientation=orientation, **({"lossless": True} if suffix == "webp" else {}))
    found, done = decode(path)
    assert np.array_equal(found, TURNS[orientation](pixels))
    assert read_header(path).size == found.shape[:2]
    assert done == Done.DECODED | Done.TURNED


@pytest.mark.parametrize("orientation", TURNS)
def test_an_uncompressed_tiff_of_16_bits_is_turned_too(tmp_path, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(LEVELS).save(tmp_path / "x.tif", exif=exif)
    found, _ = decode(tmp_path / "x.tif", channels=1)
    assert np.array_equal(found[:, :, 0], TURNS[orientation]((LEVELS.astype(int) + 128) // 257))
    assert read_header(tmp_path / "x.tif").size == found.shape[:2]


@pytest.mark.parametrize("suffix", ["gif", "png", "webp", "tif"])
def test_of_several_frames_the_first_is_taken_and_said(tmp_path, suffix):
    frames = [Image.fromarray(np.full((4, 4, 3), value, dtype=np.uint8)) for value in (255, 0)]
    frames[0].save(tmp_path / f"x.{suffix}", save_all=True, append_images=frames[1:])
    found, done = decode(tmp_path / f"x.{suffix}")
    assert (found == 255).all()
    assert done == Done.DECODED | Done.FIRST_FRAME


def test_cmyk_is_said(tmp_path):
    picture(tmp_path / "x.jpg", mode="CMYK")
    assert decode(tmp_path / "x.jpg")[1] == Done.DECODED | Done.FROM_CMYK


def test_fits_keep_the_middle_the_whole_or_neither(tmp_path):
    pixels = np.zeros((2, 6, 3), dtype=np.uint8)
    pixels[:, 2:4] = 200  # the middle third is light
    pixels[:, :2] = 100
    Image.fromarray(pixels).save(tmp_path / "x.png")
    found = {fit: decode(tmp_path / "x.png", size=(2, 2), fit=fit)[0] for fit in ("crop", "stretch")}
    assert (found["crop"] == 200).all()
    assert found["stretch"][0, 0, 0] < 150
    padded = decode(tmp_path / "x.png", size=(6, 6), fit="pad")[0]
    assert np.array_equal(padded[2:4], pixels)
    assert not padded[:2].any()
    assert not padded[4:].any()


def test_scaling_is_pillows(tmp_path):
    picture(tmp_path / "x.png", size=(40, 30))
    with Image.open(tmp_path / "x.png") as image:
        expected = np.asarray(image.resize((12, 9), Image.Resampling.BILINEAR))
    for fit in ("crop", "stretch", "pad"):
        assert np.array_equal(decode(tmp_path / "x.png", size=(9, 12), fit=fit)[0], expected)


# ---- refused ---------------------------------------------------------------------------------------------------------


def encoded(form, size=(64, 48), **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels_of(size)).save(buffer, form, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "PPM", "JPEG2000", "AVIF"])
def test_half_a_file_is_refused(tmp_path, form):
    content = encoded(form)
    path = tmp_path / f"x.{form.lower()}"
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=rf"^{path} "):
        decode(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>", r"is no image that Pillow reads \(it begins with b'<!DOCTYPE html><'\)"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            r"is no image that Pillow reads \(it begins with b'version https://'\)",
        ),
        (b"P6 20000 20000 255\n", "has more than 178,956,970 pixels, too many to open safely: scale it down"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_reason(tmp_path, content, reason):
    (tmp_path / "x.jpg").write_bytes(content)
    for reader in (read_header, decode):
        with pytest.raises(DataError, match=f"x.jpg {reason}$"):
            reader(tmp_path / "x.jpg")


def test_a_large_picture_is_decoded_without_a_warning(tmp_path, monkeypatch):
    picture(tmp_path / "x.png", size=(40, 30))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # Pillow warns above it, and refuses above twice as many
    with quiet_metadata():
        assert decode(tmp_path / "x.png", size=(3, 4))[0].shape == (3, 4, 3)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    with pytest.raises(DataError, match="has more than 1,000 pixels"):
        read_header(tmp_path / "x.png")


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    picture(tmp_path / "x.png")

    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(tmp_path), "open", refused)
    with pytest.raises(DataError, match=r"x.png cannot be read \(Permission denied\)"):
        decode(tmp_path / "x.png")


# ---- damaged ---------------------------------------------------------------------------------------------------------

FILES = {
    " ".join((form, *options.values())): encoded(form, (9, 7), **options)
    for form, options in (
        ("PNG", {}), ("JPEG", {}), ("TIFF", {"compression": "tiff_lzw"}), ("TIFF", {}), ("WEBP", {}), ("GIF", {}),
        ("BMP", {}), ("PPM", {}), ("TGA", {}), ("JPEG2000", {}), ("AVIF", {}),
    )
}  # fmt: skip
FILES["PNG16"] = png_of_16_bits(LEVELS, 0)
CHANGES = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=6)


@pytest.mark.parametrize("form", FILES)
@settings(max_examples=int(os.environ.get("FUZZ_EXAMPLES", "60")), deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(changes=CHANGES, length=st.integers(0, 2000))
def test_damaged_bytes_give_a_picture_or_a_data_error(tmp_path, form, changes, length):
    content = bytearray(FILES[form])
    for place, value in changes:
        content[place % len(content)] = value
    path = tmp_path / "x"
    path.write_bytes(content[: max(length, 1)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with quiet_metadata():
            for reader in (read_header, lambda path: decode(path, size=(5, 4))):
                message = f"{path} is a picture"
                try:
                    reader(path)
                except DataError as error:
                    message = str(error)
                assert message.startswith(f"{path} ")
                assert "\n" not in message
