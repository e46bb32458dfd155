"""Input and result of linking: two runs, the options, and the link."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tallgrass.rollcalls.linking.common import Common
from tallgrass.rollcalls.votes import RollCall

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scale:
    """One run: draws of alpha and beta (rollcall, draw) and of xi (legislator, draw)."""

    run_id: str
    session: str
    chamber: str
    rollcalls: tuple[RollCall, ...]
    slugs: tuple[str, ...]
    names: tuple[str, ...]
    parties: tuple[str, ...]
    alpha: Floats
    beta: Floats
    xi: Floats
    verdict: str = ""  # pass, fail or unresolved; empty where it is not known
    status: str = ""  # of the MLflow run; empty where it is not known

    @property
    def words(self) -> str:
        """Chamber and session."""
        return f"{self.chamber.capitalize()} of {self.session}"


@dataclass(frozen=True)
class LinkOptions:
    """How to link.

    Parameters
    ----------
    over : str
        ``bills``, ``members``, or ``auto``: bills if enough are common, else members.
    robust : str
        Treatment of common bills that work differently on the two scales: ``none``, ``drop`` or
        ``weight``.
    anchors : tuple of str
        Link only over these bills or members.
    draws : int
        Number of pairs of draws to link.

    Examples
    --------
    >>> tg.LinkOptions(robust="drop").robust
    'drop'
    """

    over: str = "auto"
    robust: str = "none"
    anchors: tuple[str, ...] = ()
    draws: int = 200


@dataclass(frozen=True, eq=False)
class Linking:
    """The link of a target's scale to a reference's, ``xi_ref = A xi_tgt + B``.

    Parameters
    ----------
    common : Common
        The common bills or members of the link.
    coefficients : DataFrame
        By robust treatment and method: median, sd and 95 % interval of A, B, delta and k (place and
        scale of the target's parties, in half gaps of the reference's; NaN without both parties).
    draws : DataFrame
        treatment, method, draw, A, B.
    items : DataFrame
        One row per common item, as of :func:`tallgrass.rollcalls.linking.robust.deviations`, with
        ``opposite`` (left out because of its sign), weight, and the changes of the link without it
        (change_A, change_B).
    positions : DataFrame
        The target's members on the reference's scale: slug, name, party, mean, sd, low, high.
    metrics : dict
        Headline figures by metric name.
    warnings : tuple of str
        What the user should know.
    """

    common: Common
    coefficients: pd.DataFrame
    draws: pd.DataFrame
    items: pd.DataFrame
    positions: pd.DataFrame
    metrics: Mapping[str, float]
    warnings: tuple[str, ...] = field(default=())
