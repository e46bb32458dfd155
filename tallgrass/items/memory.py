"""Responses that were given in memory: kept with their run, so that it can be made again."""

import pandas as pd

from tallgrass.items.prepare import MEMORY, request_of, with_warnings
from tallgrass.items.sources import LoadedResponses, responses_of_frame
from tallgrass.items.spec import CalibrationSpec
from tallgrass.items.specs import changed_calibration
from tallgrass.settings import Settings


def given_responses(
    spec: CalibrationSpec, settings: Settings, frame: pd.DataFrame
) -> tuple[CalibrationSpec, LoadedResponses]:
    """The spec of a calibration of these responses, and the responses.

    Raises
    ------
    DataError
        When they are no answers, too few remain, or the table is larger than the settings allow.
    SpecError
        When the spec publishes: there is no database to write to.
    """
    settings.limits.check_table(MEMORY, len(frame), len(frame.columns))
    spec = changed_calibration(spec, {"responses": MEMORY})
    return spec, with_warnings(responses_of_frame(frame, request_of(spec)), spec)
