"""Where the parameters of a calibration say that items are published."""

import pandas as pd

from tallgrass.items.model_columns import threshold_columns
from tallgrass.items.publication import Target
from tallgrass.items.spec import CalibrationSpec


def target_of(spec: CalibrationSpec, items: pd.DataFrame | None = None) -> Target:
    """Where the spec says that items are written; ``items`` tell the columns of their model."""
    columns: tuple[str, ...] = ("c",) if spec.item_model == "3pl" else ()
    if items is not None:
        columns += tuple(threshold_columns(items))
    return Target(
        location=spec.responses,
        table=spec.publish_table,
        mapping=spec.publish_map,
        constants=spec.publish_constants,
        key=spec.publish_key,
        append=spec.publish_mode == "append",
        model_columns=columns,
        window=spec.window,
    )
