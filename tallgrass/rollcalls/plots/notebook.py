"""Pictures at the end of a cell of a notebook."""

import sys
from importlib import import_module


def show_figures() -> None:
    """Let a notebook show the figure that a cell ends with; elsewhere nothing is done.

    Notebooks do so by themselves only once pyplot was imported, which these pictures do not need.
    """
    if "IPython" not in sys.modules:
        return
    # IPython is no dependency: it is there where a notebook is.
    shell = import_module("IPython").get_ipython()
    if shell is not None:
        import_module("IPython.core.pylabtools").select_figure_formats(shell, {"png"})
