"""The specification of a run, immutable and with a JSON form: model, priors, sampler and data.

The parameters of a run are declared only in ``RunSpec``. Command-line flags, ``TALLGRASS_*``
variables, ``.env`` and the MLproject take their names, defaults and checks from it.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar, Literal, Self

from pydantic import (
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings

from tallgrass.errors import SpecError
from tallgrass.inference.priors import DISTRIBUTIONS, PriorSpec
from tallgrass.inference.spec import Frozen, SamplerSpec, spec_error
from tallgrass.rollcalls.anchor_text import anchors_text, parse_anchors
from tallgrass.settings import CONFIG, loaded

__all__ = [
    "DISTRIBUTIONS",
    "ModelSpec",
    "PriorSpec",
    "RunSpec",
    "make_run_spec",
    "prior_record",
]


Chamber = Literal["senate", "house", "both"]
FilterRule = Literal["settled", "once"]
ModelName = Literal["flat", "hierarchical", "joint"]
Coordinates = Literal["canonical", "textbook"]
Likelihood = Literal["kernel", "gather"]

JointForm = Literal["anchored", "seed"]

# A party or group of fewer members has a prior of sigma_within with this share of the scale.
SMALL_PARTY, SMALL_PARTY_SCALE = 20, 0.5
FEW_MEMBERS = 15  # a party or group of fewer members gets a warning

# The fixed priors of the joint model; the seed form takes that of the discriminations from the run.
JOINT_PRIORS: dict[str, dict[str, str]] = {
    "anchored": {
        "delta": "normal:0,1",
        "log_k": "normal:0,0.5",
        "sigma_bill": "halfnormal:5",
        "sigma_within": "halfnormal:1",
        "sigma_dif": "halfnormal:2",
    },
    "seed": {
        "alpha": "normal:0,2",
        "mu": "normal:0,2",
        "sigma_chamber": "halfnormal:1",
        "sigma_party": "halfnormal:1",
        "sigma_within": "halfnormal:1",
    },
}


class ModelSpec(Frozen):
    """The model: its form, priors (as text), coordinates and likelihood."""

    model: ModelName = Field("hierarchical", description="flat, hierarchical or joint")
    coordinates: Coordinates = Field(
        "canonical", description="canonical (fast) or textbook; the same posterior"
    )
    likelihood: Likelihood = Field(
        "kernel", description="kernel (one pass) or gather (textbook only: a reference)"
    )
    joint_form: JointForm = Field(
        "anchored",
        description="joint: anchored at the House's parties, or the first published form",
    )
    dif: bool = Field(
        True, description="joint, anchored: matched bills may differ between the chambers"
    )
    anchors: str = Field(
        "auto",
        description="flat, held fixed: auto (PCA extremes at +1 and -1), typical (party medians), "
        "or slug:position,slug:position",
    )
    beta_prior: str = Field("normal:0,1", description="prior of the discriminations")
    alpha_prior: str = Field("normal:0,5", description="prior of the difficulties")
    mu_prior: str = Field("normal:0,2", description="prior of the party means (hierarchical)")
    sigma_prior: str = Field(
        "halfnormal:1", description="prior of the spread within a party (hierarchical)"
    )

    @field_validator("beta_prior", "alpha_prior", "mu_prior", "sigma_prior")
    @classmethod
    def _canonical_text(cls, text: str, info: ValidationInfo) -> str:
        try:
            prior = PriorSpec.parse(text)
        except SpecError as error:
            raise SpecError(f"{info.field_name}: {error.what}", text, error.mend) from None
        if info.field_name in ("alpha_prior", "mu_prior") and prior.positive:
            raise SpecError(
                f"{info.field_name}: a prior on the whole real line is needed",
                text,
                "use normal:mu,sigma",
            )
        if info.field_name == "sigma_prior" and not prior.positive:
            raise SpecError(
                f"{info.field_name}: a prior on positive values is needed",
                text,
                "use halfnormal:1 or lognormal:0,0.5",
            )
        return prior.text

    @field_validator("anchors")
    @classmethod
    def _canonical_anchors(cls, text: str) -> str:
        named = parse_anchors(text.strip())
        return text.strip() if named is None else anchors_text(named)

    @model_validator(mode="after")
    def _anchors_are_of_the_flat_model(self) -> Self:
        if self.model != "flat" and self.anchors != "auto":
            raise SpecError(
                "anchors are held fixed in the flat model only",
                f"model={self.model}, anchors={self.anchors}",
                "add model=flat, or leave anchors out",
            )
        return self

    @model_validator(mode="after")
    def _gather_is_textbook(self) -> Self:
        if self.likelihood == "gather" and self.coordinates != "textbook":
            raise SpecError(
                "likelihood gather goes with textbook coordinates only",
                f"coordinates={self.coordinates}",
                "add coordinates=textbook, or use likelihood=kernel",
            )
        return self

    @model_validator(mode="after")
    def _joint_settings(self) -> Self:
        fields = type(self).model_fields
        if self.model != "joint":
            for name in ("joint_form", "dif"):
                if getattr(self, name) != fields[name].default:
                    raise SpecError(
                        f"{name} is a setting of the joint model",
                        f"model={self.model}, {name}={str(getattr(self, name)).lower()}",
                        "add model=joint and chamber=both, or leave it out",
                    )
            return self
        if self.joint_form == "anchored" and self.coordinates != "canonical":
            raise SpecError(
                "the anchored form of the joint model has canonical coordinates only",
                f"coordinates={self.coordinates}",
                "leave coordinates and likelihood out, or use joint_form=seed",
            )
        fixed = ["alpha_prior", "mu_prior", "sigma_prior"]
        fixed += ["beta_prior"] if self.joint_form == "anchored" else []
        for name in fixed:
            if getattr(self, name) != fields[name].default:
                raise SpecError(
                    f"{name}: the joint model has priors of its own",
                    getattr(self, name),
                    f"leave {name} out",
                )
        return self

    @property
    def priors(self) -> dict[str, PriorSpec]:
        """The priors by variable: alpha, beta, and for the hierarchical model mu and sigma.

        The joint model, anchored: delta, log_k, sigma_bill, sigma_within (in units of half the gap
        between the chamber's parties) and, with deviations, sigma_dif. The seed form: alpha, beta,
        mu (of mu_global), sigma_chamber, sigma_party and sigma_within.
        """
        if self.model == "joint":
            texts = dict(JOINT_PRIORS[self.joint_form])
            if self.joint_form == "seed":
                texts["beta"] = self.beta_prior
            elif not self.dif:
                del texts["sigma_dif"]
            return {name: PriorSpec.parse(text) for name, text in texts.items()}
        names = ["alpha", "beta"] + (["mu", "sigma"] if self.model == "hierarchical" else [])
        return {name: PriorSpec.parse(getattr(self, f"{name}_prior")) for name in names}


class RunSpec(ModelSpec, SamplerSpec):
    """One run: the data, the model, the sampler, the start and the baseline."""

    session: str = Field(
        "sample",
        min_length=1,
        description="sample, simulated, a folder, a LegiScan or OpenStates zip, a Voteview votes "
        "file, or a database URL",
    )
    votes_table: str = Field("votes", description="table of the database with the votes")
    votes_query: str = Field("", description="SQL instead of a table; may use :chamber")
    chamber: Chamber = Field("senate", description="senate, house, or both (joint model)")
    init: str = Field("pca", description="where chains start: pca, none or run:<run id>")
    minority_threshold: float = Field(
        0.025, ge=0.0, lt=0.5, description="drop roll calls with a smaller minority share"
    )
    min_votes: int = Field(20, ge=0, description="drop legislators with fewer observed votes")
    committee: bool = Field(False, description="keep roll calls of committees too")
    filters: FilterRule = Field(
        "settled",
        description="filters: settled (until nothing changes) or once (as in version 0.1)",
    )
    baseline: str = Field("auto", description="compare with: auto, none or a run id")
    strict: bool = Field(False, description="exit with status 3 when the verdict is fail")
    fit_checks: bool = Field(
        True, description="pointwise fit: LOO, accuracy, GMP, APRE, posterior predictive checks"
    )

    _RUN_ID: ClassVar[re.Pattern[str]] = re.compile(r"[0-9a-f]{32}")

    @field_validator("init")
    @classmethod
    def _known_init(cls, text: str) -> str:
        kind, _, run_id = text.partition("run:")
        if text in ("pca", "none") or (not kind and cls._RUN_ID.fullmatch(run_id)):
            return text
        raise SpecError("init: unknown start", text, "use pca, none or run:<id of an MLflow run>")

    @field_validator("baseline")
    @classmethod
    def _known_baseline(cls, text: str) -> str:
        if text in ("auto", "none") or cls._RUN_ID.fullmatch(text):
            return text
        raise SpecError("baseline: unknown run", text, "use auto, none or the id of an MLflow run")

    @model_validator(mode="after")
    def _both_chambers_are_joint(self) -> Self:
        if (self.model == "joint") != (self.chamber == "both"):
            raise SpecError(
                "chamber both goes with the joint model",
                f"chamber={self.chamber}, model={self.model}",
                "use chamber=both with model=joint, or one chamber with flat or hierarchical",
            )
        return self

    @property
    def model_spec(self) -> ModelSpec:
        """The parameters of the model."""
        return ModelSpec(**{name: getattr(self, name) for name in ModelSpec.model_fields})

    @property
    def sampler_spec(self) -> SamplerSpec:
        """The parameters of the sampler."""
        return SamplerSpec(**{name: getattr(self, name) for name in SamplerSpec.model_fields})


def make_run_spec(**parameters: Any) -> RunSpec:
    """A RunSpec whose errors are SpecErrors that name the parameter."""
    try:
        return RunSpec(**parameters)
    except ValidationError as error:
        raise spec_error(error) from None


def prior_record(spec: ModelSpec) -> dict[str, dict[str, Any]]:
    """Every prior of the model as values and in words, for ``spec/prior.json``."""
    return {
        name: {**asdict(prior), "text": prior.text, "description": prior.describe()}
        for name, prior in spec.priors.items()
    }


class RunSettings(BaseSettings, RunSpec):
    """The parameters of a run, with the environment and ``.env`` as sources."""

    model_config = CONFIG


def load_run_spec(flags: Mapping[str, Any] | None = None) -> RunSpec:
    """The RunSpec from flags, environment and ``.env``.

    Raises
    ------
    SpecError
        When a value cannot be used; the error names the parameter and the source of the value.
    """
    settings = loaded(RunSettings, flags or {})
    return RunSpec(**{name: getattr(settings, name) for name in RunSpec.model_fields})


def changed_spec(spec: RunSpec, flags: Mapping[str, Any]) -> RunSpec:
    """A RunSpec with some parameters replaced, checked as a whole.

    Raises
    ------
    SpecError
        When a value cannot be used.
    """
    try:
        return RunSpec(**{**spec.model_dump(), **flags})
    except ValidationError as error:
        raise spec_error(error) from None
