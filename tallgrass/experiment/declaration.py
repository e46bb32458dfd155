"""The declaration of an experiment: read and check the file ``experiment.toml``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tallgrass.errors import SpecError, nearest
from tallgrass.experiment.expectations import Expectation, read_expectation
from tallgrass.experiment.toml_file import read_toml
from tallgrass.inputs.tables import is_file
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.settings import Settings
from tallgrass.study.model_file import is_reference

FILE = "experiment.toml"
_KEYS = ["name", "question", "hypothesis", "hold", "vary", "extra", "baseline", "thresholds"]
_KEYS += ["expect"]
_THRESHOLD = "threshold_"


@dataclass(frozen=True)
class Experiment:
    """A declared experiment.

    Parameters
    ----------
    name : str
        Name of the experiment, also in MLflow.
    question, hypothesis : str
        The question and the expected answer, in words.
    hold : mapping
        Run parameters that are the same in every run.
    vary : mapping of str to list
        Run parameters with their values; every combination is a run.
    extra : sequence of mapping
        Additional runs, each with the parameters that differ from ``hold``.
    baseline : str or mapping
        ``auto``, ``none`` or a run id, as for a single run; or parameters: every run is compared
        with the run of this experiment on the same votes that has these parameters.
    thresholds : mapping
        Settings ``threshold_*`` of the verdict that differ from the usual ones.
    expect : sequence of Expectation
        The expected outcome, as statements to check on the runs.
    text : str
        The text of the file.
    """

    name: str
    question: str
    hypothesis: str = ""
    hold: Mapping[str, Any] = field(default_factory=dict)
    vary: Mapping[str, list[Any]] = field(default_factory=dict)
    extra: tuple[Mapping[str, Any], ...] = ()
    baseline: str | Mapping[str, Any] = "auto"
    thresholds: Mapping[str, float] = field(default_factory=dict)
    expect: tuple[Expectation, ...] = ()
    text: str = ""


def read_experiment(location: Path) -> Experiment:
    """Read ``experiment.toml`` of a folder, or the file itself.

    Raises
    ------
    SpecError
        When it is missing, not TOML, or has an unknown key or a wrong value; the error names the
        key and the nearest known one.
    """
    path = location if is_file(location) else location / FILE
    text, table = read_toml(path, f"name a folder that holds {FILE}")
    _check_keys(table, _KEYS, "")
    question = _text(table, "question")
    if not question:
        raise SpecError("an experiment without its question", str(path), 'add: question = "..."')
    hold = _table(table, "hold")
    vary = _table(table, "vary")
    for key, values in vary.items():
        if not isinstance(values, list):
            raise SpecError(f"vary.{key}: a list of values is needed", values, f"use {key} = [...]")
        if key in hold:
            raise SpecError(f"{key} is both held and varied", key, "leave one out")
    extra = table.get("extra", [])
    if not isinstance(extra, list) or not all(isinstance(parameters, dict) for parameters in extra):
        raise SpecError("extra: runs are written as tables", extra, "use [[extra]]")
    for kind, tables in {"hold": [hold], "vary": [vary], "extra": extra}.items():
        for parameters in tables:
            _check_keys(parameters, list(RunSpec.model_fields), f"{kind}.")
    folder = path.resolve().parent
    for parameters in (hold, vary, *extra):
        if "model" in parameters:
            parameters["model"] = _found(parameters["model"], folder)
    return Experiment(
        name=_text(table, "name") or folder.name,
        question=question,
        hypothesis=_text(table, "hypothesis"),
        hold=hold,
        vary=vary,
        extra=tuple(extra),
        baseline=_baseline(table.get("baseline", "auto")),
        thresholds=_thresholds(_table(table, "thresholds")),
        expect=_expectations(table.get("expect", [])),
        text=text,
    )


def _found(model: Any, folder: Path) -> Any:
    """A model, or several; one in a file beside the experiment by its whole path, for workers."""
    if isinstance(model, list):
        return [_found(name, folder) for name in model]
    if not isinstance(model, str) or not is_reference(model):
        return model
    file, _, function = model.rpartition(":")
    beside = folder / Path(file).expanduser()
    path = beside if beside.is_file() else Path(file).expanduser().absolute()
    return f"{path}:{function}"


def overridden(experiment: Experiment, flags: Mapping[str, Any]) -> Experiment:
    """The experiment with some parameters held at these values in every run."""
    return Experiment(
        **{
            **vars(experiment),
            "hold": {**experiment.hold, **flags},
            "vary": {k: v for k, v in experiment.vary.items() if k not in flags},
            "extra": tuple(
                {k: v for k, v in parameters.items() if k not in flags}
                for parameters in experiment.extra
            ),
        }
    )


def _baseline(value: object) -> str | Mapping[str, Any]:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and value:
        _check_keys(value, list(RunSpec.model_fields), "baseline.")
        return value
    raise SpecError("baseline: unknown", value, "use auto, none, a run id or [baseline]")


def _thresholds(table: Mapping[str, Any]) -> Mapping[str, float]:
    known = [n.removeprefix(_THRESHOLD) for n in Settings.model_fields if n.startswith(_THRESHOLD)]
    _check_keys(table, known, "thresholds.")
    for key, value in table.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SpecError(f"thresholds.{key}: a number is needed", value)
    return {_THRESHOLD + key: value for key, value in table.items()}


def _expectations(tables: object) -> tuple[Expectation, ...]:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise SpecError("expect: a list of tables is needed", tables, "use [[expect]]")
    return tuple(read_expectation(table) for table in tables)


def _check_keys(table: Mapping[str, Any], known: list[str], prefix: str) -> None:
    for key in table:
        if key not in known:
            raise SpecError("unknown key in the experiment", prefix + key, nearest(key, known))


def _table(table: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise SpecError(f"{key}: a table is needed", value, f"use [{key}]")
    return value


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise SpecError(f"{key}: a text is needed", value)
    return value.strip()
