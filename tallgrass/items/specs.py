"""Make the specification of a calibration from parameters, another one, or flags and settings."""

from collections.abc import Mapping
from typing import Any

from pydantic_settings import BaseSettings

from tallgrass.items.spec import GIBBS_SWEEPS, CalibrationSpec
from tallgrass.settings import CONFIG, loaded


def changed_calibration(spec: CalibrationSpec, changes: Mapping[str, Any]) -> CalibrationSpec:
    """The calibration with some parameters replaced.

    A new engine brings its own default numbers of draws, unless the old numbers were chosen.

    Raises
    ------
    SpecError
        When a value cannot be used.
    """
    values = spec.model_dump()
    if changes.get("engine", spec.engine) != spec.engine:
        usual = CalibrationSpec(engine=spec.engine)
        for name in GIBBS_SWEEPS:
            if values[name] == getattr(usual, name):
                del values[name]
    return make_calibration_spec(**{**values, **changes})


def make_calibration_spec(**parameters: Any) -> CalibrationSpec:
    """A CalibrationSpec whose errors are SpecErrors that name the parameter."""
    return CalibrationSpec(**parameters)


class CalibrationSettings(BaseSettings, CalibrationSpec):
    """The parameters of a calibration, with the environment and ``.env`` as sources."""

    model_config = CONFIG


def load_calibration_spec(flags: Mapping[str, Any] | None = None) -> CalibrationSpec:
    """The CalibrationSpec from flags, environment and ``.env``.

    Raises
    ------
    SpecError
        When a value cannot be used; the error names the parameter and the source of the value.
    """
    settings = loaded(CalibrationSettings, flags or {})
    return CalibrationSpec(
        **{name: getattr(settings, name) for name in CalibrationSpec.model_fields}
    )
