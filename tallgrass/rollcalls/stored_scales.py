"""Stored runs as scales that can be linked: their draws, roll calls and members."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from tallgrass.errors import DataError, TallgrassError
from tallgrass.inference.summary import draws_of, names_of
from tallgrass.rollcalls import earlier
from tallgrass.rollcalls.chambers import CHAMBERS
from tallgrass.rollcalls.linking import Linking, LinkOptions, Scale, link_scales
from tallgrass.rollcalls.votes import RollCall
from tallgrass.tracking import reading
from tallgrass.tracking.reading import searching

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

logger = logging.getLogger(__name__)


_BESIDE = 100  # draws linked beside a joint run


def linked_beside(run_ids: Mapping[str, str]) -> Linking | None:
    """The Senate's own run linked to the House's, to stand beside a joint run; None without both.

    A pair that cannot be linked is logged and left out: the joint run does not depend on it.
    """
    if not all(run_ids.values()):
        return None
    try:
        scales = [read_scale(run_ids[chamber]) for chamber in CHAMBERS]
        return link_scales(scales[0], scales[1], LinkOptions(over="bills", draws=_BESIDE))
    except TallgrassError as error:
        logger.warning("the chambers' own runs could not be linked: %s", error)
        return None


def read_scale(run_id: str) -> Scale:
    """A run as a scale: its draws, roll calls and members.

    Raises
    ------
    TrackingError
        When the run is unknown or holds no trace or tables.
    DataError
        When it is no run that places legislators.
    """
    trace = reading.load_trace(run_id)
    if "xi" not in trace["posterior"]:
        raise DataError(
            "a run without ideal points cannot be linked", run_id, "is it a calibration?"
        )
    scale = scale_of(trace, earlier.rollcalls_table(run_id), earlier.ideal_points(run_id))
    run = searching.find_run(run_id)
    return replace(scale, verdict=run.data.tags.get("verdict", ""), status=run.info.status)


def scale_of(trace: "DataTree", rollcalls: "pd.DataFrame", members: "pd.DataFrame") -> Scale:
    """A trace with its tables of roll calls and members as a scale."""
    texts = ["vote_id", "bill", "motion", "vote_type", "date"]
    known = rollcalls.reindex(columns=texts).fillna("").astype(str)
    by_id = {row[0]: RollCall(**dict(zip(texts, row, strict=True))) for row in known.to_numpy()}
    people = members.set_index("slug")
    slugs = names_of(trace, "legislator")
    return Scale(
        run_id=str(trace.attrs.get("run_id", "")),
        session=str(trace.attrs.get("session", "")),
        chamber=str(trace.attrs.get("chamber", "")),
        rollcalls=tuple(by_id[i] for i in names_of(trace, "rollcall")),
        slugs=tuple(slugs),
        names=tuple(people.loc[slugs, "name"].astype(str)),
        parties=tuple(people.loc[slugs, "party"].astype(str)),
        alpha=draws_of(trace, "alpha"),
        beta=draws_of(trace, "beta"),
        xi=draws_of(trace, "xi"),
    )
