"""The specification of a calibration, immutable and with a JSON form.

The flags of ``tallgrass calibrate``, its environment variables and the parameters of the MLproject
take their names, defaults and checks from ``CalibrationSpec``, as those of ``tallgrass run`` do
from ``RunSpec``.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings

from tallgrass.errors import SpecError
from tallgrass.inference.priors import PriorSpec
from tallgrass.inference.spec import SamplerSpec, spec_error
from tallgrass.settings import CONFIG, loaded

if TYPE_CHECKING:
    from tallgrass.items.priors import PriorChoice

Engine = Literal["nuts", "gibbs", "map", "mml"]
Duplicates = Literal["first", "last", "error"]
PopulationChoice = Literal["auto", "free", "standard"]
Anchoring = Literal["link", "fixed"]

# Gibbs draws whole blocks, so few sweeps forget the start; the run adds draws until R-hat and ESS
# pass.
GIBBS_SWEEPS = {"draws": 1000, "tune": 100}


class CalibrationSpec(SamplerSpec):
    """One calibration: responses, anchors, engine, and the criteria that judge it."""

    draws: int = Field(
        2000, ge=4, le=1_000_000, description="kept draws per chain (gibbs: 1000 at first)"
    )
    tune: int = Field(1000, ge=10, le=1_000_000, description="tuning draws per chain (gibbs: 100)")
    # At the size of the seed data, with normal trajectories: 8000 draws at 0.65 take 15 steps each
    # and have a least bulk ESS of 7400 and tail ESS of 4000; at 0.5 they take 10 steps and have
    # 3400 and 2700. That is enough, and the tail ESS per second is the same.
    target_accept: float = Field(0.5, gt=0, lt=1, description="target acceptance rate of NUTS")
    responses: str = Field(
        "simulated",
        min_length=1,
        description="a CSV or Parquet file, a database URL, or simulated",
    )
    engine: Engine = Field(
        "nuts", description="nuts, gibbs (full Bayes), map or mml (point estimates)"
    )
    anchors: str = Field("", description="file, or table of the database, with earlier item,a,b")
    table: str = Field("responses", description="table of the database with the responses")
    query: str = Field("", description="SQL instead of a table; may use :window, :since, :until")
    window: str = Field("", description="only responses of the window with this label")
    since: str = Field("", description="only responses at this time or later (2026-01-31)")
    until: str = Field("", description="only responses before this time")
    user_column: str = Field("user", min_length=1, description="column of the users")
    item_column: str = Field("item", min_length=1, description="column of the items")
    response_column: str = Field("response", min_length=1, description="column of the answers")
    time_column: str = Field("time", min_length=1, description="column of the times")
    window_column: str = Field("window", min_length=1, description="column of the window labels")
    items: str = Field("", description="only these items: names or patterns (q*), with commas")
    ignore: str = Field(
        "", description="columns or items that are none: names or patterns, with commas"
    )
    covariates: str = Field(
        "",
        description="columns about users, as sex, that are no items and are kept for DIF: names or "
        "patterns, with commas",
    )
    missing: str = Field("", description="texts that stand for no answer: -9,99,.")
    duplicates: Duplicates = Field(
        "first", description="which of several answers to an item counts: first, last, or error"
    )
    min_responses: int = Field(200, ge=1, description="drop items with fewer responses")
    a_prior: str = Field("lognormal:0,0.2", description="prior of the discriminations a")
    b_prior: str = Field("normal:0,1", description="prior of the difficulties b")
    population: PopulationChoice = Field(
        "auto",
        description="abilities: free (their mean and SD are estimated; needs anchors), standard "
        "(N(0, 1)), or auto: free with anchors",
    )
    anchoring: Anchoring = Field(
        "link",
        description="how mml uses anchors: link (Stocking-Lord) or fixed (they keep their values)",
    )
    purify: bool = Field(False, description="fit again without the anchors that drifted")
    drift_b: float = Field(0.25, gt=0, description="an anchor drifted if b changed by more")
    drift_a: float = Field(0.2, gt=0, description="an anchor drifted if a changed by more")
    agreement: float = Field(0.1, gt=0, description="methods disagree if a or b differs by more")
    compare: str = Field(
        "", description="other estimates: name=file.csv or name=<run id>, separated by commas"
    )
    publish: bool = Field(
        False, description="write undrifted items to publish_table at the end, after pass alone"
    )
    publish_unresolved: bool = Field(
        False, description="publish after unresolved (one chain) too; never after fail"
    )
    publish_table: str = Field(
        "item_parameters", min_length=1, description="table that --publish writes to"
    )
    fit_checks: bool = Field(
        True, description="place the fit of items and users among answers drawn from the model"
    )
    strict: bool = Field(False, description="exit with status 3 when the verdict is fail")

    @model_validator(mode="before")
    @classmethod
    def _sweeps_of_gibbs(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("engine") == "gibbs":
            return GIBBS_SWEEPS | values
        return values

    @field_validator("a_prior", "b_prior")
    @classmethod
    def _known_prior(cls, text: str, info: ValidationInfo) -> str:
        prior, name = PriorSpec.parse(text), str(info.field_name)
        wanted = {"a_prior": "lognormal", "b_prior": "normal"}[name]
        if prior.distribution != wanted:
            raise SpecError(
                f"{name}: the engines need a {wanted} prior", text, f"write {wanted}:0,0.5"
            )
        return prior.text

    @model_validator(mode="after")
    def _a_free_population_needs_anchors(self) -> "CalibrationSpec":
        if self.population == "free" and not self.anchors:
            raise SpecError(
                "population: without anchors nothing fixes the scale of a free population",
                self.population,
                "name the anchors, or use population=standard",
            )
        if self.publish and self.anchors and self.population == "standard":
            raise SpecError(
                "publish: with anchors and abilities held at N(0, 1) a cohort that is abler than "
                "the anchors' moves every other item",
                f"population={self.population}",
                "use population=free, or leave publish out",
            )
        return self

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
        """The estimates to compare with: name -> file or run id.

        Raises
        ------
        SpecError
            When a part is not name=source, or a name occurs twice.
        """
        sources: dict[str, str] = {}
        for part in filter(None, (part.strip() for part in self.compare.split(","))):
            name, equals, source = part.partition("=")
            if not (name and equals and source) or name in sources or name == self.engine:
                raise SpecError(
                    "compare: bad comparison", part, "write name=file.csv, each name once"
                )
            sources[name] = source
        return sources

    @property
    def bayesian(self) -> bool:
        """Whether the engine draws from the posterior."""
        return self.engine in ("nuts", "gibbs")

    @property
    def free(self) -> bool:
        """Whether mean and standard deviation of the abilities are estimated."""
        return self.population != "standard" and bool(self.anchors)

    @property
    def on_scale_of_anchors(self) -> bool:
        """Whether the estimates are on the anchors' scale, so that they can be compared."""
        return bool(self.anchors) and (self.engine != "mml" or self.free)

    @property
    def prior_choice(self) -> "PriorChoice":
        """The priors of items and abilities."""
        from tallgrass.items.priors import PriorChoice

        a, b = PriorSpec.parse(self.a_prior), PriorSpec.parse(self.b_prior)
        return PriorChoice(a, b, self.free)

    @property
    def sampler_spec(self) -> SamplerSpec:
        """The parameters of the sampler."""
        return SamplerSpec(**{name: getattr(self, name) for name in SamplerSpec.model_fields})


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
        When a value cannot be used; the error names the parameter and the source of the value.
    """
    settings = loaded(CalibrationSettings, flags or {})
    return CalibrationSpec(
        **{name: getattr(settings, name) for name in CalibrationSpec.model_fields}
    )
