"""How a posterior is sampled, as frozen values with a JSON form."""

import hashlib
import json
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tallgrass.errors import SpecError


class Frozen(BaseModel):
    """A frozen spec with a JSON form and a hash of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    def to_json(self) -> str:
        """The spec as JSON with sorted keys."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the text that :meth:`to_json` wrote; a SpecError names the field that is wrong."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise spec_error(error) from None

    @property
    def sha256(self) -> str:
        """SHA-256 (64 hex digits) of the JSON form."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


SamplerName = Literal["nutpie", "pymc"]
Adaptation = Literal["diag", "draw_diag", "low_rank", "flow"]
Trajectory = Literal["auto", "leapfrog", "normal"]
TracePrecision = Literal["float32", "float64"]


class SamplerSpec(Frozen):
    """How the posterior is sampled. ``draws`` and ``tune`` are counts a chain."""

    sampler: SamplerName = Field("nutpie", description="nutpie or pymc")
    adaptation: Adaptation = Field(
        "diag", description="nutpie's mass matrix: diag, draw_diag, low_rank or flow (needs JAX)"
    )
    trajectory: Trajectory = Field(
        "auto",
        description="nutpie's steps: leapfrog, normal (exact on a normal density), auto (by model)",
    )
    draws: int = Field(2000, ge=4, le=1_000_000, description="kept draws a chain")
    tune: int = Field(500, ge=10, le=1_000_000, description="tuning draws a chain")
    chains: int = Field(4, ge=1, le=64, description="number of chains")
    seed: int = Field(42, ge=0, le=2**32 - 1, description="seed of the sampler")
    target_accept: float = Field(0.8, gt=0.0, lt=1.0, description="target acceptance rate")

    @model_validator(mode="after")
    def _settings_of_nutpie(self) -> Self:
        if self.sampler == "pymc" and self.adaptation != "diag":
            raise SpecError(
                "adaptation is a setting of nutpie",
                f"sampler=pymc, adaptation={self.adaptation}",
                "leave adaptation out, or use sampler=nutpie",
            )
        if self.sampler == "pymc" and self.trajectory == "normal":
            raise SpecError(
                "trajectory=normal is nutpie's",
                "sampler=pymc, trajectory=normal",
                "leave trajectory out, or use sampler=nutpie",
            )
        return self


def spec_error(error: ValidationError) -> SpecError:
    """The first problem of a pydantic ValidationError as one SpecError."""
    first = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"]) or "parameters"
    return SpecError(f"bad value for {name} ({first['msg']})", first["input"])
