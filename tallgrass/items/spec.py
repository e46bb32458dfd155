"""What a calibration is, as one frozen value with a JSON form: responses, anchors, engine, rules.

``CalibrationSpec`` is to ``tallgrass calibrate`` what ``RunSpec`` is to ``tallgrass run``: flags,
variables and the parameters of the MLproject take names, defaults and checks from it.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings

from tallgrass.errors import SpecError
from tallgrass.inference.spec import SamplerSpec, spec_error
from tallgrass.settings import CONFIG, loaded

Engine = Literal["nuts", "gibbs", "map", "mml"]
Duplicates = Literal["first", "last", "error"]

# A sweep of Gibbs moves every block by itself: few to forget the start, and draws are added until
# R-hat and ESS pass.
GIBBS_SWEEPS = {"draws": 1000, "tune": 100}


class CalibrationSpec(SamplerSpec):
    """One calibration, whole: responses, anchors, engine, and the rules it is judged by."""

    draws: int = Field(
        2000, ge=4, le=1_000_000, description="kept draws a chain (gibbs: 1000 to begin with)"
    )
    tune: int = Field(1000, ge=10, le=1_000_000, description="tuning draws a chain (gibbs: 100)")
    # At the seed's size, with normal trajectories, a lower rate means fewer steps of each: of 8000
    # draws 0.65 gives least bulk and tail ESS of 7400 and 4000 for 15 steps each, 0.5 of 3400 and
    # 2700 for 10. That many are enough, and the tail's for a second of sampling are as many.
    target_accept: float = Field(0.5, gt=0, lt=1, description="target acceptance rate of NUTS")
    responses: str = Field(
        "simulated",
        min_length=1,
        description="a CSV or Parquet file, a database URL, or simulated",
    )
    engine: Engine = Field(
        "nuts", description="nuts, gibbs (full Bayes), map or mml (point estimates)"
    )
    anchors: str = Field("", description="file, or table of the database, with item,a,b of before")
    table: str = Field("responses", description="table of the database that holds the responses")
    query: str = Field("", description="SQL in place of a table; may use :window, :since, :until")
    window: str = Field("", description="only responses of the window with this label")
    since: str = Field("", description="only responses at this time or later (2026-01-31)")
    until: str = Field("", description="only responses before this time")
    user_column: str = Field("user", min_length=1, description="column of the users")
    item_column: str = Field("item", min_length=1, description="column of the items")
    response_column: str = Field("response", min_length=1, description="column of the answers")
    time_column: str = Field("time", min_length=1, description="column of the times")
    window_column: str = Field("window", min_length=1, description="column of the window labels")
    duplicates: Duplicates = Field(
        "first", description="of several answers to an item: first, last, or error"
    )
    min_responses: int = Field(200, ge=1, description="drop items with fewer responses")
    purify: bool = Field(False, description="fit again without the anchors that drifted")
    drift_b: float = Field(0.25, gt=0, description="an anchor drifted when b moved by more")
    drift_a: float = Field(0.2, gt=0, description="an anchor drifted when a moved by more")
    agreement: float = Field(0.1, gt=0, description="methods disagree on a or b when farther apart")
    compare: str = Field(
        "", description="other estimates: name=file.csv or name=<run id>, with commas between"
    )
    publish: bool = Field(False, description="write undrifted items to publish_table at the end")
    publish_table: str = Field(
        "item_parameters", min_length=1, description="table that --publish writes to"
    )
    strict: bool = Field(False, description="exit with status 3 when the verdict is fail")

    @model_validator(mode="before")
    @classmethod
    def _sweeps_of_gibbs(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("engine") == "gibbs":
            return GIBBS_SWEEPS | given
        return given

    @model_validator(mode="after")
    def _publishing_needs_a_database(self) -> "CalibrationSpec":
        if self.publish and "://" not in self.responses:
            raise SpecError(
                "publish: there is no database to write to",
                self.responses,
                "read the responses from a database, or leave publish out",
            )
        return self

    @property
    def comparisons(self) -> dict[str, str]:
        """What to compare with: name -> file or run id.

        Raises
        ------
        SpecError
            When it is not written name=file, or a name occurs twice.
        """
        found: dict[str, str] = {}
        for part in filter(None, (part.strip() for part in self.compare.split(","))):
            name, equals, source = part.partition("=")
            if not (name and equals and source) or name in found or name == self.engine:
                raise SpecError(
                    "compare: bad comparison", part, "write name=file.csv, each name once"
                )
            found[name] = source
        return found

    @property
    def bayesian(self) -> bool:
        """Whether the engine gives draws of the posterior."""
        return self.engine in ("nuts", "gibbs")

    @property
    def sampler_spec(self) -> SamplerSpec:
        """The sampler's part."""
        return SamplerSpec(**{name: getattr(self, name) for name in SamplerSpec.model_fields})


def changed_calibration(spec: CalibrationSpec, changes: Mapping[str, Any]) -> CalibrationSpec:
    """The calibration with some parameters replaced.

    Another engine has its own numbers of draws, unless those of before were chosen.

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
    try:
        return CalibrationSpec(**parameters)
    except ValidationError as error:
        raise spec_error(error) from None


class CalibrationSettings(BaseSettings, CalibrationSpec):
    """The parameters of a calibration, with the environment and ``.env`` as sources."""

    model_config = CONFIG


def load_calibration_spec(flags: Mapping[str, Any] | None = None) -> CalibrationSpec:
    """The CalibrationSpec from flags, environment and ``.env``.

    Raises
    ------
    SpecError
        When a value cannot be used; it names the parameter and where the value is from.
    """
    found = loaded(CalibrationSettings, flags or {})
    return CalibrationSpec(**{name: getattr(found, name) for name in CalibrationSpec.model_fields})
