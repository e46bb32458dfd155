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
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings

from tallgrass.errors import SpecError
from tallgrass.inference.priors import DISTRIBUTIONS, PriorSpec
from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.group_text import PARTY, parse_order
from tallgrass.rollcalls.model_spec import (
    FEW_MEMBERS,
    SMALL_PARTY,
    SMALL_PARTY_SCALE,
    ModelName,
    ModelSpec,
)
from tallgrass.rollcalls.selection import Selection
from tallgrass.settings import CONFIG, loaded
from tallgrass.study.model_file import is_reference

__all__ = [
    "DISTRIBUTIONS",
    "FEW_MEMBERS",
    "SMALL_PARTY",
    "SMALL_PARTY_SCALE",
    "ModelName",
    "ModelSpec",
    "PriorSpec",
    "RunSpec",
    "prior_record",
]


Chamber = Literal["senate", "house", "both"]
FilterRule = Literal["settled", "once"]


class RunSpec(ModelSpec, SamplerSpec):
    """One run: the data, the model, the sampler, the start and the baseline.

    Examples
    --------
    >>> spec = tg.RunSpec(chamber="house", init="none", beta_prior="lognormal:0,0.5")
    >>> spec.draws, spec.tune, spec.chains
    (2000, 500, 4)
    """

    session: str = Field(
        "sample",
        min_length=1,
        description="sample, simulated, a folder, a LegiScan or OpenStates zip, a Voteview votes "
        "file, or a database URL; dynamic: several, separated by commas, or a pattern (FOLDER/*)",
    )
    votes_table: str = Field("votes", description="table of the database with the votes")
    votes_query: str = Field("", description="SQL instead of a table; may use :chamber")
    chamber: Chamber = Field("senate", description="senate, house, or both (joint and dynamic)")
    init: str = Field("pca", description="where chains start: pca, none or run:<run id>")
    minority_threshold: float = Field(
        0.025, ge=0.0, lt=0.5, description="drop roll calls with a smaller minority share"
    )
    min_votes: int = Field(20, ge=0, description="drop legislators with fewer observed votes")
    rollcalls: str = Field(
        "",
        description="only roll calls of from:DATE; until:DATE; title:TEXT; bills:FILE; final",
    )
    groups: str = Field(
        "",
        description="party, or other groups: a column of the legislators, or a CSV file slug,group",
    )
    groups_order: str = Field(
        "", description="low,high: the two groups whose means are in this order (left, right)"
    )
    committee: bool = Field(False, description="keep roll calls of committees too")
    filters: FilterRule = Field(
        "settled",
        description="filters: settled (until nothing changes) or once (as in version 0.1)",
    )
    baseline: str = Field("auto", description="compare with: auto, none or a run id")
    against: str = Field(
        "", description="published scores to compare with: a CSV file (tallgrass compare --against)"
    )
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

    @field_validator("rollcalls")
    @classmethod
    def _known_conditions(cls, text: str) -> str:
        return Selection.parse(text).text

    @field_validator("groups", "groups_order")
    @classmethod
    def _known_groups(cls, text: str, info: ValidationInfo) -> str:
        if info.field_name == "groups":
            return "" if text.strip() == PARTY else text.strip()
        return ",".join(parse_order(text))

    @field_validator("baseline")
    @classmethod
    def _known_baseline(cls, text: str) -> str:
        if text in ("auto", "none") or cls._RUN_ID.fullmatch(text):
            return text
        raise SpecError("baseline: unknown run", text, "use auto, none or the id of an MLflow run")

    @model_validator(mode="after")
    def _scores_are_of_one_time(self) -> Self:
        if self.against and self.model == "dynamic":
            raise SpecError(
                "published scores are compared with one session",
                f"against={self.against}, model=dynamic",
                "leave against out, or use another model",
            )
        return self

    @model_validator(mode="after")
    def _starts_of_own_models(self) -> Self:
        if is_reference(self.model) and self.init.startswith("run:"):
            raise SpecError(
                "init: a model in a file is started by the sampler",
                self.init,
                "leave init out; initval=... of a variable in your file sets where it starts",
            )
        return self

    @model_validator(mode="after")
    def _both_chambers_are_joint(self) -> Self:
        if self.model != "dynamic" and (self.model == "joint") != (self.chamber == "both"):
            raise SpecError(
                "chamber both goes with the joint model",
                f"chamber={self.chamber}, model={self.model}",
                "use chamber=both with model=joint, or one chamber with flat or hierarchical",
            )
        return self

    @model_validator(mode="after")
    def _groups_are_of_one_chamber(self) -> Self:
        for name in ("groups", "groups_order"):
            if self.model in ("joint", "dynamic") and getattr(self, name):
                raise SpecError(
                    "other groups than Democrats and Republicans go with one chamber at one time",
                    f"{name}={getattr(self, name)}, model={self.model}",
                    f"leave {name} out, or use model=hierarchical or model=flat",
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
    return RunSpec(**{**spec.model_dump(), **flags})
