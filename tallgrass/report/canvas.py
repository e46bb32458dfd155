"""A canvas on which a text is drawn at once, and not letter by letter: a third of the time.

The letters are those that Matplotlib draws elsewhere, from the same fonts; a text stands at whole
dots. What Matplotlib alone can draw (formulas, slanted text, letters that the font lacks) is left
to it. Texts are kept: names and numbers come again in other pictures, and in the next run.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg, get_hinting_flag
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import LoadFlags
from numpy.typing import NDArray

_KEPT = 2048  # texts, of a few thousand bytes each
_UNIT = 64  # of FreeType, in a dot
_FRAME = 1  # row that Matplotlib leaves free above a text


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A text as it is drawn: opacities by row from above, and the sizes by which it is placed."""

    opacity: NDArray[np.uint8]
    left: int  # dots from where the text begins to the first of its letters' dots
    below: int  # rows below the baseline
    width: float
    height: float
    descent: float


@lru_cache(_KEPT)
def _drawn(text: str, font_file: str, size: float, dpi: float, flags: LoadFlags) -> _Drawn | None:
    """The text in dots; None where the font lacks one of its letters."""
    font = get_font(font_file)
    if not all(font.get_char_index(ord(letter)) for letter in text):
        return None
    font.clear()
    font.set_size(size, dpi)
    font.set_text(text, 0.0, flags=flags)
    width, height = font.get_width_height()
    descent = font.get_descent()
    font.draw_glyphs_to_bitmap(antialiased=True)
    opacity = np.array(font.get_image())
    return _Drawn(
        opacity,
        -(-font.get_bitmap_offset()[0] // _UNIT),
        len(opacity) - _FRAME - (height - descent) // _UNIT,
        width / _UNIT,
        height / _UNIT,
        descent / _UNIT,
    )


class TextAtOnce(RendererAgg):
    """Agg, but for texts."""

    def draw_text(
        self,
        gc: Any,
        x: float,
        y: float,
        s: str,
        prop: FontProperties,
        angle: float,
        ismath: Any = False,
        mtext: Any = None,
    ) -> None:
        """Draw a text, its baseline beginning at x and y."""
        drawn = None if ismath or angle or not gc.get_antialiased() else self._drawn(s, prop)
        if drawn is None:
            super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)  # type: ignore[no-untyped-call]
            return
        colour = gc.get_rgb()
        dots = np.empty((*drawn.opacity.shape, 4), np.uint8)
        dots[..., :3] = np.round(255 * np.asarray(colour[:3]))
        dots[..., 3] = drawn.opacity
        opacity = colour[3] if len(colour) > 3 and not gc.get_forced_alpha() else gc.get_alpha()
        if opacity < 1:
            dots[..., 3] = np.round(opacity * drawn.opacity)
        bottom = self.height - round(y) - drawn.below
        self.draw_image(gc, round(x) + drawn.left, bottom, dots[::-1])

    def get_text_width_height_descent(
        self, s: str, prop: FontProperties, ismath: Any
    ) -> tuple[float, float, float]:
        """Sizes of a text in dots."""
        drawn = None if ismath else self._drawn(s, prop)
        if drawn is None:
            theirs = super().get_text_width_height_descent
            return theirs(s, prop, ismath)  # type: ignore[no-untyped-call, no-any-return]
        return drawn.width, drawn.height, drawn.descent

    def _drawn(self, text: str, prop: FontProperties) -> _Drawn | None:
        flags = get_hinting_flag()  # type: ignore[no-untyped-call]
        return _drawn(text, findfont(prop), prop.get_size_in_points(), self.dpi, flags)


class Canvas(FigureCanvasAgg):
    """The canvas of our figures."""

    def get_renderer(self) -> TextAtOnce:
        """What draws: kept while the size of the figure is the same."""
        # As others ask for it: 6.5 inches less a trifle are 780 dots, though the product is 779.9.
        size = (*self.get_width_height(physical=True), self.figure.dpi)
        kept = getattr(self, "renderer", None)
        if kept is None or (kept.width, kept.height, kept.dpi) != size:
            kept = self.renderer = TextAtOnce(*size)  # type: ignore[no-untyped-call]
        assert isinstance(kept, TextAtOnce)  # nobody else sets it
        return kept
