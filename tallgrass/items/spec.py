"""The specification of a calibration, immutable and with a JSON form.

The flags of ``tallgrass calibrate``, its environment variables and the parameters of the MLproject
take their names, defaults and checks from ``CalibrationSpec``, as those of ``tallgrass run`` do
from ``RunSpec``.
"""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from tallgrass.errors import SpecError
from tallgrass.inference.priors import PriorSpec
from tallgrass.inference.spec import AUTO, Draws, SamplerSpec
from tallgrass.items.c_prior import beta_of
from tallgrass.items.models import ItemModelName
from tallgrass.items.publish_map import parse_map

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
    """One calibration: responses, anchors, engine, and the criteria that judge it.

    Examples
    --------
    >>> spec = tg.CalibrationSpec(responses="answers.csv", engine="gibbs", min_responses=100)
    >>> spec.engine, spec.population
    ('gibbs', 'auto')
    """

    draws: Draws = Field(
        2000,
        description="kept draws per chain (gibbs: 1000 at first); auto: until the verdict holds "
        "with a margin",
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
    item_model: ItemModelName = Field(
        "2pl",
        description="1pl, 2pl, 3pl (answers 0 and 1) or graded (answers 0, 1, 2, ...); gibbs: 2pl",
    )
    engine: Engine = Field(
        "nuts", description="nuts, gibbs (full Bayes), map or mml (point estimates)"
    )
    anchors: str = Field(
        "",
        description="file, or table of the database, with earlier item,a,b (3pl: c too; graded: "
        "a,b_1,b_2,...)",
    )
    anchor_query: str = Field(
        "", description="SQL instead of an anchors table; may use :window, :since, :until"
    )
    anchor_item_column: str = Field(
        "item", min_length=1, description="column of the anchors with the item"
    )
    anchor_a_column: str = Field(
        "a", min_length=1, description="column of the anchors with the discrimination"
    )
    anchor_b_column: str = Field(
        "b", min_length=1, description="column of the anchors with the difficulty"
    )
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
    dif: str = Field(
        "",
        description="covariates whose groups are compared item by item (DIF): names, with commas; "
        "1pl and 2pl",
    )
    missing: str = Field("", description="texts that stand for no answer: -9,99,.")
    duplicates: Duplicates = Field(
        "first", description="which of several answers to an item counts: first, last, or error"
    )
    min_responses: int = Field(200, ge=1, description="drop items with fewer responses")
    a_prior: str = Field("lognormal:0,0.2", description="prior of the discriminations a")
    b_prior: str = Field("normal:0,1", description="prior of the difficulties b")
    c_prior: str = Field(
        "beta:5,17", description="prior of the lower asymptotes c of 3pl: the chance of guessing"
    )
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
    drift_information: float = Field(
        0.2, gt=0, lt=1, description="an anchor is weaker if it lost more than this of information"
    )
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
    publish_map: str = Field(
        "",
        description="columns of publish_table and their values: item_id=item,b_hat=b,model='2PL'",
    )
    publish_constants: str = Field(
        "",
        description="SQL that selects one row, whose columns are written to every row; may use "
        ":window",
    )
    publish_key: str = Field(
        "", description="columns by which a row is known, with commas (default: that of the item)"
    )
    publish_mode: Literal["upsert", "append"] = Field(
        "upsert", description="upsert (update known rows, insert others) or append"
    )
    publish_dry_run: bool = Field(
        False, description="write nothing, and show the SQL and rows that --publish would write"
    )
    fit_checks: bool = Field(
        True, description="place the fit of items and users among answers drawn from the model"
    )
    strict: bool = Field(False, description="exit with status 3 when the verdict is fail")

    @model_validator(mode="before")
    @classmethod
    def _sweeps_of_gibbs(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("engine") == "gibbs":
            # It adds draws by itself until R-hat and ESS pass, so auto is what it does.
            auto = str(values.get("draws", "")).strip().lower() == AUTO
            return GIBBS_SWEEPS | {n: v for n, v in values.items() if n != "draws" or not auto}
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

    @field_validator("c_prior")
    @classmethod
    def _beta_prior(cls, text: str) -> str:
        first, second = beta_of(text)
        return f"beta:{first:g},{second:g}"

    @model_validator(mode="after")
    def _models_of_engines(self) -> "CalibrationSpec":
        if self.engine == "gibbs" and self.item_model != "2pl":
            raise SpecError(
                "engine: gibbs samples item_model=2pl alone",
                f"item_model={self.item_model}",
                "use engine=nuts for draws, or map or mml for estimates",
            )
        return self

    @model_validator(mode="after")
    def _dif_of_two_models(self) -> "CalibrationSpec":
        if self.dif and self.item_model not in ("1pl", "2pl"):
            raise SpecError(
                "dif: groups are compared by item_model=1pl or 2pl",
                f"item_model={self.item_model}",
                "leave dif out, or use one of these",
            )
        return self

    @property
    def dif_covariates(self) -> tuple[str, ...]:
        """The covariates whose groups are compared."""
        return tuple(dict.fromkeys(filter(None, (part.strip() for part in self.dif.split(",")))))

    @model_validator(mode="after")
    def _a_free_population_needs_anchors(self) -> "CalibrationSpec":
        if self.population == "free" and not self.has_anchors:
            raise SpecError(
                "population: without anchors nothing fixes the scale of a free population",
                self.population,
                "name the anchors, or use population=standard",
            )
        if self.publish and self.has_anchors and self.population == "standard":
            raise SpecError(
                "publish: with anchors and abilities held at N(0, 1) a cohort that is abler than "
                "the anchors' moves every other item",
                f"population={self.population}",
                "use population=free, or leave publish out",
            )
        return self

    @model_validator(mode="after")
    def _one_source_of_anchors(self) -> "CalibrationSpec":
        if self.anchors and self.anchor_query:
            raise SpecError(
                "anchors and anchor_query are both given", self.anchors, "leave one of them out"
            )
        if self.anchor_query and "://" not in self.responses:
            raise SpecError(
                "anchor_query: there is no database to ask",
                self.responses,
                "read the responses from a database, or name a file with anchors",
            )
        parse_map(self.publish_map)
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
    def has_anchors(self) -> bool:
        """Whether anchors are named, by a file, a table or a query."""
        return bool(self.anchors or self.anchor_query)

    @property
    def places_fit(self) -> bool:
        """Whether the fit of items and users is placed among answers drawn from the model."""
        return self.fit_checks

    @property
    def free(self) -> bool:
        """Whether mean and standard deviation of the abilities are estimated."""
        return self.population != "standard" and self.has_anchors

    @property
    def on_scale_of_anchors(self) -> bool:
        """Whether the estimates are on the anchors' scale, so that they can be compared."""
        return self.has_anchors and (self.engine != "mml" or self.free)

    @property
    def least_anchors(self) -> int:
        """As many anchors as are needed to hold the scale."""
        from tallgrass.inference.linking import MIN_ITEMS

        return MIN_ITEMS if self.engine == "mml" and self.anchoring == "link" else 1

    @property
    def prior_choice(self) -> "PriorChoice":
        """The priors of items and abilities."""
        from tallgrass.items.priors import PriorChoice

        a, b = PriorSpec.parse(self.a_prior), PriorSpec.parse(self.b_prior)
        return PriorChoice(a, b, self.free, beta_of(self.c_prior), self.item_model)

    @property
    def sampler_spec(self) -> SamplerSpec:
        """The parameters of the sampler."""
        return SamplerSpec(**{name: getattr(self, name) for name in SamplerSpec.model_fields})
