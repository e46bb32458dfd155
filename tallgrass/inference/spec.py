"""How a posterior is sampled, as frozen values with a JSON form."""

import hashlib
import json
import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal, Self, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from tallgrass.errors import SpecError, nearest


class Frozen(BaseModel):
    """A frozen spec with a JSON form and a hash of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    @model_validator(mode="wrap")
    @classmethod
    def _in_one_line(cls, values: Any, make: ModelWrapValidatorHandler[Self]) -> Self:
        """Say what is wrong as the command line says it, also in Python."""
        try:
            return make(values)
        except ValidationError as error:
            raise spec_error(error, list(cls.model_fields)) from None

    @field_validator("*", mode="before")
    @classmethod
    def _as_meant(cls, value: object, info: ValidationInfo) -> object:
        """A word of a choice in capitals is that word; true and false are no numbers."""
        declared = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, str) and get_origin(declared) is Literal:
            lower = value.lower()
            return lower if lower in get_args(declared) else value
        # Pydantic takes true for 1, as Python does; in a file it is a mistake.
        if isinstance(value, bool) and declared in (int, float, Draws):
            name = info.field_name or ""
            raise SpecError(f"bad value for {name} (a number is needed)", value, parameter=name)
        return value

    def to_json(self) -> str:
        """The spec as JSON with sorted keys."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the text that :meth:`to_json` wrote; a SpecError names the field that is wrong."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:  # no JSON
            raise spec_error(error) from None

    @property
    def sha256(self) -> str:
        """SHA-256 (64 hex digits) of the JSON form."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


AUTO: Final = "auto"
MOST_DRAWS = 1_000_000
FEWEST_DRAWS = 500  # draws=auto: fewer are never enough
Draws = int | Literal["auto"]
_COUNT: TypeAdapter[int] = TypeAdapter(Annotated[int, Field(ge=4, le=MOST_DRAWS)])
SamplerName = Literal["nutpie", "pymc"]
Adaptation = Literal["auto", "diag", "draw_diag", "low_rank", "flow"]
Trajectory = Literal["auto", "leapfrog", "normal"]
TracePrecision = Literal["float32", "float64"]


class SamplerSpec(Frozen):
    """How the posterior is sampled. ``draws`` and ``tune`` are counts a chain.

    Examples
    --------
    >>> tg.SamplerSpec(draws=1000).chains
    4
    """

    sampler: SamplerName = Field("nutpie", description="nutpie or pymc")
    adaptation: Adaptation = Field(
        "auto",
        description="nutpie's mass matrix: auto (by model), diag, draw_diag, low_rank, flow (JAX)",
    )
    trajectory: Trajectory = Field(
        "auto",
        description="nutpie's steps: leapfrog, normal (exact on a normal density), auto (by model)",
    )
    draws: Draws = Field(
        2000, description="kept draws a chain; auto: until the verdict holds with a margin"
    )
    draws_max: int = Field(
        10_000, ge=FEWEST_DRAWS, le=MOST_DRAWS, description="draws=auto: the most a chain"
    )
    tune: int = Field(500, ge=10, le=1_000_000, description="tuning draws a chain")
    chains: int = Field(4, ge=1, le=64, description="number of chains")
    seed: int = Field(42, ge=0, le=2**32 - 1, description="seed of the sampler")
    target_accept: float = Field(0.8, gt=0.0, lt=1.0, description="target acceptance rate")

    @field_validator("draws", mode="before")
    @classmethod
    def _counted(cls, value: object) -> object:
        """A number, or the word auto in any case; two errors of pydantic's would name its types."""
        if isinstance(value, str) and value.strip().lower() == AUTO:
            return AUTO
        if isinstance(value, bool):  # a number for pydantic, and refused by the check of all fields
            return value
        try:
            return _COUNT.validate_python(value)
        except ValidationError as error:
            reason = error.errors(include_url=False)[0]["msg"]
            words = f"bad value for draws ({reason})"
            raise SpecError(words, value, "or write auto", "draws") from None

    @property
    def most_draws(self) -> int:
        """The most draws that a chain keeps."""
        return self.draws_max if self.draws == AUTO else self.draws

    @property
    def least_draws(self) -> int:
        """The fewest draws a chain that are as ordered."""
        return FEWEST_DRAWS if self.draws == AUTO else self.draws

    @model_validator(mode="after")
    def _settings_of_nutpie(self) -> Self:
        if self.sampler == "pymc" and self.adaptation not in ("auto", "diag"):
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
        if self.sampler == "pymc" and self.draws == AUTO:
            raise SpecError(
                "draws=auto looks at nutpie's draws while they are made",
                "sampler=pymc, draws=auto",
                "write a number of draws, or use sampler=nutpie",
            )
        return self


def spec_error(error: ValidationError, known: Sequence[str] = ()) -> SpecError:
    """The first problem of a pydantic ValidationError as one SpecError.

    Parameters
    ----------
    error : ValidationError
        What pydantic found.
    known : sequence of str, optional
        The parameters that there are, of which the nearest to an unknown one are named.
    """
    first = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"]) or "parameters"
    received = first["input"]
    if first["type"] == "extra_forbidden":
        return SpecError("unknown parameter", name, nearest(name, list(known)))
    mend = ""
    if first["type"] == "literal_error" and isinstance(received, str):
        choices = re.findall(r"'([^']+)'", first["ctx"]["expected"])
        near = get_close_matches(received.lower(), choices, n=1)
        mend = f"did you mean {near[0]}?" if near else ""
    return SpecError(f"bad value for {name} ({first['msg']})", received, mend, name)
