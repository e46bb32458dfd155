"""Where settings come from: flags, then ``TALLGRASS_*`` variables, then ``.env``, then defaults.

What a run is (the spec of each wing) and what surrounds it (Settings) are read by
the same rules: the field ``draws`` is the flag ``--draws``, the variable ``TALLGRASS_DRAWS``, the
same name in ``.env``, and the MLproject parameter ``draws``.
"""

import logging
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tallgrass.errors import SpecError, TallgrassError, nearest
from tallgrass.inference.spec import TracePrecision, spec_error
from tallgrass.inputs.limits import Limits

if TYPE_CHECKING:
    from tallgrass.inference.thresholds import Thresholds

PREFIX = "TALLGRASS_"
ENV_FILE = ".env"
# Variables of ours that are not settings: where the tests find their data, cores of a process.
_OTHER_VARIABLES = {"TALLGRASS_TEST_DATA", "TALLGRASS_TEST_FUZZ", "TALLGRASS_CORES"}
CONFIG = SettingsConfigDict(
    env_prefix=PREFIX,
    env_file=ENV_FILE,
    env_file_encoding="utf-8",
    env_ignore_empty=True,
    extra="ignore",  # .env may hold the variables of other programs
    frozen=True,
    validate_default=True,
)

logger = logging.getLogger(__name__)


class Settings(BaseSettings):
    """What surrounds a run: where data and results are, and what counts as converged.

    Examples
    --------
    >>> tg.Settings(progress="none").threshold_rhat
    1.01
    """

    model_config = CONFIG

    data_dir: Path = Field(Path("data"), description="where a session given by its bare name is")
    tracking_uri: str | None = Field(
        None, description="MLflow store (default: MLFLOW_TRACKING_URI, else sqlite:///mlflow.db)"
    )
    experiment: str | None = Field(
        None, description="MLflow experiment (default: MLFLOW_EXPERIMENT_NAME, else tallgrass)"
    )
    progress: Literal["auto", "bar", "plain", "none"] = Field(
        "auto", description="progress while sampling: auto, bar, plain or none"
    )
    state_dir: Path | None = Field(
        None, description="where runs under way are (default: your user's state folder)"
    )
    max_concurrent: int = Field(
        1, ge=0, le=1000, description="runs at a time on this machine; 0: any number"
    )
    when_busy: Literal["refuse", "wait"] = Field(
        "refuse", description="when that many are under way: refuse or wait"
    )
    trace_precision: TracePrecision = Field(
        "float32", description="how draws are stored: float32 (rounded, a quarter) or float64"
    )
    deliver_seconds: float = Field(
        60.0, ge=0, description="seconds a run's end waits for an MLflow server in trouble"
    )
    threshold_rhat: float = Field(1.01, gt=1, description="R-hat passes below this")
    threshold_ess: float = Field(400.0, ge=0, description="bulk and tail ESS pass above this")
    threshold_divergences: int = Field(0, ge=0, description="divergences that pass")
    threshold_ebfmi: float = Field(0.3, ge=0, description="E-BFMI of every chain passes above this")
    threshold_abs_r_flat: float = Field(
        0.99, ge=0, lt=1, description="abs. r of flat with flat passes above this"
    )
    threshold_abs_r_hierarchical: float = Field(
        0.95, ge=0, lt=1, description="abs. r of hierarchical with hierarchical passes above this"
    )
    threshold_abs_r_across: float = Field(
        0.90, ge=0, lt=1, description="abs. r across models passes above this"
    )

    limit_input_mib: int = Field(1024, ge=1, description="MiB of one input file, unpacked")
    limit_expansion: int = Field(
        200, ge=1, description="times an archive may grow when it is unpacked (beyond 16 MiB)"
    )
    limit_files: int = Field(10_000, ge=1, description="files in a zip")
    limit_rows: int = Field(100_000_000, ge=1, description="rows of one table that is read")
    limit_columns: int = Field(20_000, ge=1, description="columns of one table that is read")

    if not TYPE_CHECKING:  # a checker takes the parameters from the fields

        def __init__(self, **values: Any) -> None:
            # Unknown variables are ignored, because .env may hold those of other programs; a name
            # in a script is meant for us. Those of pydantic begin with an underscore (_env_file).
            known = list(type(self).model_fields)
            for name in values:
                if name not in known and not name.startswith("_"):
                    raise SpecError("unknown setting", name, nearest(name, known))
            super().__init__(**values)

    @model_validator(mode="wrap")
    @classmethod
    def _in_one_line(cls, values: Any, make: ModelWrapValidatorHandler[Self]) -> Self:
        """Say what is wrong as the command line says it, also in Python."""
        try:
            return make(values)
        except ValidationError as error:
            raise spec_error(error) from None

    @property
    def thresholds(self) -> "Thresholds":
        """The thresholds of the verdict."""
        from tallgrass.inference.thresholds import Thresholds

        return Thresholds(**self._named("threshold_"))

    @property
    def limits(self) -> Limits:
        """How large an input may be."""
        return Limits(**self._named("limit_"))

    def _named(self, prefix: str) -> dict[str, Any]:
        return {name.removeprefix(prefix): v for name, v in self if name.startswith(prefix)}


def load_settings(flags: Mapping[str, Any] | None = None) -> Settings:
    """Settings from flags, environment and ``.env``.

    Parameters
    ----------
    flags : mapping, optional
        Values given on the command line, by field name.

    Raises
    ------
    SpecError
        When a value cannot be used; it names the setting and where the value is from.
    """
    return loaded(Settings, flags or {})


def warn_of_unknown_variables(parameters: Collection[str]) -> None:
    """Log a warning for every ``TALLGRASS_*`` variable that is none of ours: a typing error.

    ``parameters`` are the names of what runs of every kind take, beside the settings.
    """
    known = [PREFIX + name.upper() for name in (*parameters, *Settings.model_fields)]
    for name in sorted(os.environ):
        upper = name.upper()
        if upper.startswith(PREFIX) and upper not in {*known, *_OTHER_VARIABLES}:
            logger.warning("the variable %s is ignored; %s", name, nearest(upper, known))


def loaded[Model: BaseSettings](model: type[Model], flags: Mapping[str, Any]) -> Model:
    """A model of settings or parameters, read from flags, environment and ``.env``.

    Raises
    ------
    SpecError
        When a value cannot be used; it names the parameter and where the value is from.
    """
    try:
        return model(**flags)
    except TallgrassError as error:
        # A check of several parameters names the one at the start of its words, or none.
        name = error.parameter or error.what.partition(":")[0]
        raise _with_origin(error, name, flags, model) from None
    except UnicodeDecodeError:
        raise SpecError("a .env file that is not UTF-8 text", ENV_FILE) from None


def _with_origin(
    error: TallgrassError, name: str, flags: Mapping[str, Any], model: type[BaseSettings]
) -> TallgrassError:
    """The error, telling that the value came from the environment or ``.env`` where it did."""
    if name in flags or name not in model.model_fields:
        return error
    variable = PREFIX + name.upper()
    in_environment = variable in {key.upper() for key in os.environ}
    origin = variable if in_environment else f"{variable} in {ENV_FILE}"
    return type(error)(f"{error.what} [from {origin}]", error.received, error.mend, name)
