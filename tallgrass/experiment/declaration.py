"""What an experiment is: the file ``experiment.toml``, read and checked as a whole."""

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

FILE = "experiment.toml"
_KEYS = ["name", "question", "hypothesis", "hold", "vary", "extra", "baseline", "thresholds"]
_KEYS += ["expect"]
_THRESHOLD = "threshold_"


@dataclass(frozen=True)
class Experiment:
    """An experiment as it is declared.

    Parameters
    ----------
    name : str
        Name of the experiment, also in MLflow.
    question, hypothesis : str
        What is asked, and what is expected, in words.
    hold : mapping
        Run parameters that are the same in every run.
    vary : mapping of str to list
        Run parameters with the values they take; every combination is a run.
    extra : sequence of mapping
        Runs beside the matrix, each with the parameters in which it differs from ``hold``.
    baseline : str or mapping
        ``auto``, ``none`` or a run id as in a single run; or parameters: every run is compared
        with the run of this experiment on the same votes that has these parameters.
    thresholds : mapping
        Settings ``threshold_*`` of the verdict, where they are not the usual ones.
    expect : sequence of Expectation
        The expected outcome, as statements that the runs decide.
    text : str
        The file as it was read.
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


def read_experiment(place: Path) -> Experiment:
    """Read ``experiment.toml`` of a folder, or the file itself.

    Raises
    ------
    SpecError
        When it is missing, not TOML, or has a key or value that cannot be used; the error names
        the key and the nearest known one.
    """
    path = place if is_file(place) else place / FILE
    text, found = read_toml(path, f"name a folder that holds {FILE}")
    _check_keys(found, _KEYS, "")
    question = _text(found, "question")
    if not question:
        raise SpecError("an experiment without its question", str(path), 'add: question = "..."')
    hold = _table(found, "hold")
    vary = _table(found, "vary")
    for key, values in vary.items():
        if not isinstance(values, list):
            raise SpecError(f"vary.{key}: a list of values is needed", values, f"use {key} = [...]")
        if key in hold:
            raise SpecError(f"{key} is both held and varied", key, "leave one out")
    extra = found.get("extra", [])
    if not isinstance(extra, list) or not all(isinstance(one, dict) for one in extra):
        raise SpecError("extra: runs are written as tables", extra, "use [[extra]]")
    for kind, tables in {"hold": [hold], "vary": [vary], "extra": extra}.items():
        for one in tables:
            _check_keys(one, list(RunSpec.model_fields), f"{kind}.")
    return Experiment(
        name=_text(found, "name") or path.resolve().parent.name,
        question=question,
        hypothesis=_text(found, "hypothesis"),
        hold=hold,
        vary=vary,
        extra=tuple(extra),
        baseline=_baseline(found.get("baseline", "auto")),
        thresholds=_thresholds(_table(found, "thresholds")),
        expect=_expectations(found.get("expect", [])),
        text=text,
    )


def overridden(experiment: Experiment, flags: Mapping[str, Any]) -> Experiment:
    """The experiment with some parameters held at the given values, in every run."""
    return Experiment(
        **{
            **vars(experiment),
            "hold": {**experiment.hold, **flags},
            "vary": {k: v for k, v in experiment.vary.items() if k not in flags},
            "extra": tuple(
                {k: v for k, v in one.items() if k not in flags} for one in experiment.extra
            ),
        }
    )


def _baseline(given: object) -> str | Mapping[str, Any]:
    if isinstance(given, str):
        return given
    if isinstance(given, dict) and given:
        _check_keys(given, list(RunSpec.model_fields), "baseline.")
        return given
    raise SpecError("baseline: unknown", given, "use auto, none, a run id or [baseline]")


def _thresholds(given: Mapping[str, Any]) -> Mapping[str, float]:
    known = [n.removeprefix(_THRESHOLD) for n in Settings.model_fields if n.startswith(_THRESHOLD)]
    _check_keys(given, known, "thresholds.")
    for key, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SpecError(f"thresholds.{key}: a number is needed", value)
    return {_THRESHOLD + key: value for key, value in given.items()}


def _expectations(given: object) -> tuple[Expectation, ...]:
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise SpecError("expect: a list of tables is needed", given, "use [[expect]]")
    return tuple(read_expectation(one) for one in given)


def _check_keys(given: Mapping[str, Any], known: list[str], prefix: str) -> None:
    for key in given:
        if key not in known:
            raise SpecError("unknown key in the experiment", prefix + key, nearest(key, known))


def _table(found: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = found.get(key, {})
    if not isinstance(value, dict):
        raise SpecError(f"{key}: a table is needed", value, f"use [{key}]")
    return value


def _text(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key, "")
    if not isinstance(value, str):
        raise SpecError(f"{key}: a text is needed", value)
    return value.strip()
