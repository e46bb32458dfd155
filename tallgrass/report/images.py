"""Figures as the bytes of picture files."""

import io
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

_COLOURS = 256  # the most that a picture with a palette has
_COMPRESSION = 6  # of 9: the files of 9 are a hundredth smaller, and take twice the time
_GROUND = 0.02  # of the picture: a colour that covers more is kept as it is
_LOOKED_AT = 4096  # dots in which such colours are looked for
_MANY = 4096  # colours: thin lines over each other; a part of the dots then tells which to choose
_PART = 4

Dots = NDArray[np.uint32]


def images(drawn: Mapping[str, Figure]) -> dict[str, bytes]:
    """Each figure as the bytes of a PNG file.

    Its colours are those of a palette: the file is a third as large, and the eye sees no
    difference. While one figure is drawn, the file of the one before is made: Pillow does that
    without Python's lock.
    """
    with ThreadPoolExecutor(1) as pool:
        files = {name: pool.submit(_png, *_dots(figure)) for name, figure in drawn.items()}
        return {name: file.result() for name, file in files.items()}


def _dots(figure: Figure) -> tuple[Dots, float]:
    """The picture, (height, width) of red, green, blue and opacity in 32 bits; dots an inch."""
    raw = io.BytesIO()
    figure.savefig(raw, format="rgba", dpi="figure")
    # As the canvas rounds: 1.13 inches of 100 dots are 113, though the product is below it.
    width, height = figure.canvas.get_width_height()
    return np.frombuffer(raw.getbuffer(), np.uint32).reshape(height, width), figure.dpi


def _png(dots: Dots, dpi: float) -> bytes:
    file = io.BytesIO()
    _with_palette(dots).save(file, format="PNG", dpi=(dpi, dpi), compress_level=_COMPRESSION)
    return file.getvalue()


def _with_palette(dots: Dots) -> Image.Image:
    """The picture with 256 colours.

    Colours that cover much of it are found in some of its dots and are kept as they are: Pillow
    chooses the others by all dots that are left, which are a tenth of them.
    """
    flat = dots.ravel()
    some = flat[:: max(1, len(flat) // _LOOKED_AT)]
    colours, counts = np.unique(some, return_counts=True)
    grounds = colours[counts > _GROUND * len(some)]
    numbers = np.zeros(len(flat), np.uint8)
    left = np.arange(len(flat))
    rest = flat
    for number, ground in enumerate(grounds):
        numbers[left] = number
        others = rest != ground
        left, rest = left[others], rest[others]
    palette = np.asarray(grounds).view(np.uint8).reshape(-1, 4)[:, :3].ravel().tolist()
    if len(rest):
        drawn = _reduced(rest, _COLOURS - len(grounds))
        numbers[left] = np.asarray(drawn).ravel() + len(grounds)
        palette += drawn.getpalette() or []
    picture = Image.fromarray(numbers.reshape(dots.shape))
    picture.putpalette(palette)
    return picture


def _reduced(dots: Dots, most: int) -> Image.Image:
    """The dots as a picture of one line, with at most so many colours."""
    line = _line(dots)
    none = Image.Dither.NONE
    if line.getcolors(_MANY) is not None:
        return line.quantize(most, Image.Quantize.MEDIANCUT, dither=none)
    chosen = _line(dots[::_PART]).quantize(most, Image.Quantize.MEDIANCUT, dither=none)
    return line.quantize(palette=chosen, dither=none)


def _line(dots: Dots) -> Image.Image:
    colours = Image.frombuffer("RGBA", (len(dots), 1), dots.tobytes(), "raw", "RGBA", 0, 1)
    return colours.convert("RGB")
