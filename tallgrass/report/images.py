"""Figures as the bytes of picture files."""

import io
from collections.abc import Mapping

from matplotlib.figure import Figure


def images(drawn: Mapping[str, Figure]) -> dict[str, bytes]:
    """Each figure as the bytes of a PNG file."""
    files = {}
    for name, figure in drawn.items():
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi="figure")
        files[name] = buffer.getvalue()
    return files
