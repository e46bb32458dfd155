"""Earlier runs of a user's own model: its baseline."""

from typing import TYPE_CHECKING

from tallgrass.tracking import reading
from tallgrass.tracking.reading.searching import equals, search

if TYPE_CHECKING:
    from tallgrass.own.study import OwnStudy


def baseline_of(study: "OwnStudy", asked: str | None) -> str | None:
    """Id of the run that a study is compared with.

    Parameters
    ----------
    asked : str or None
        An id or its beginning; ``auto`` for the newest promoted run of the same model and data;
        None or ``none`` for no comparison.

    Raises
    ------
    TrackingError
        When the run that was asked for does not exist.
    """
    if asked in (None, "", "none"):
        return None
    if asked != "auto":
        return reading.find_run(str(asked))
    conditions = [
        "attributes.status = 'FINISHED'",
        "tags.baseline = 'true'",
        equals("tags.model", study.label),
    ]
    if study.description.data_sha256:
        conditions.append(equals("tags.`data.sha256`", study.description.data_sha256))
    newest = next(search(conditions, page_size=1), None)
    return None if newest is None else str(newest.info.run_id)
