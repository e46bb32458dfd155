"""Figures as the bytes of picture files."""

import io
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from matplotlib.figure import Figure
from PIL import Image

_COLOURS = 256  # the most that a picture with a palette has
_COMPRESSION = 6  # of 9: the files of 9 are a hundredth smaller, and take twice the time


def images(drawn: Mapping[str, Figure]) -> dict[str, bytes]:
    """Each figure as the bytes of a PNG file.

    Its colours are those of a palette: the file is a third as large, and the eye sees no
    difference. While one figure is drawn, the file of the one before is made: Pillow does that
    without Python's lock.
    """
    with ThreadPoolExecutor(1) as pool:
        files = {name: pool.submit(_png, *_pixels(figure)) for name, figure in drawn.items()}
        return {name: file.result() for name, file in files.items()}


def _pixels(figure: Figure) -> tuple[Image.Image, float]:
    """The picture, and its dots an inch."""
    raw = io.BytesIO()
    figure.savefig(raw, format="rgba", dpi="figure")
    # As the canvas rounds: 1.13 inches of 100 dots are 113, though the product is below it.
    size = figure.canvas.get_width_height()
    return Image.frombytes("RGBA", size, raw.getvalue()), figure.dpi


def _png(picture: Image.Image, dpi: float) -> bytes:
    colours = picture.convert("RGB").quantize(
        _COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
    )
    file = io.BytesIO()
    colours.save(file, format="PNG", dpi=(dpi, dpi), compress_level=_COMPRESSION)
    return file.getvalue()
