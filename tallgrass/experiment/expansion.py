"""Expand an experiment into its runs: a checked RunSpec each, with a label and a hash."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from tallgrass.errors import DataError, SpecError
from tallgrass.experiment.declaration import Experiment
from tallgrass.inputs.paths import is_database
from tallgrass.rollcalls.sources import available_sessions
from tallgrass.rollcalls.spec import RunSpec, changed_spec
from tallgrass.study.model_file import short

MANY = 10_000
_DATA = ("session", "chamber")  # runs must share these to be compared


@dataclass(frozen=True)
class PlannedRun:
    """A run of an experiment.

    Parameters
    ----------
    key : str
        Hash of the declared spec, which is the same in every attempt.
    label : str
        A few words that distinguish it from the other runs.
    spec : RunSpec
        The run.
    baseline : str or None
        Key of the run with which it is compared.
    """

    key: str
    label: str
    spec: RunSpec
    baseline: str | None = None


def expand(experiment: Experiment, data_dir: Path, allow_many: bool = False) -> list[PlannedRun]:
    """All runs of an experiment; baselines of others come first.

    Raises
    ------
    SpecError
        When the matrix is empty, has more than 10,000 runs (without ``allow_many``), a value cannot
        be used, or a run has no baseline.
    DataError
        When a pattern matches no session.
    """
    vary = {name: list(values) for name, values in experiment.vary.items()}
    if "session" in vary:
        vary["session"] = _sessions(vary["session"], data_dir)
    empty = [name for name, values in vary.items() if not values]
    if empty or not (vary or experiment.extra or experiment.hold):
        reason = f"vary.{empty[0]} has no values" if empty else "nothing is held or varied"
        raise SpecError("an experiment without runs", reason, "give at least one value to each")
    count = len(experiment.extra)
    matrix = 1
    for values in vary.values():
        matrix *= len(values)
    count += matrix if vary or not experiment.extra else 0
    if count > MANY and not allow_many:
        raise SpecError(f"more than {MANY:,} runs", count, "add --yes if this is meant")
    combinations = [dict(zip(vary, row, strict=True)) for row in itertools.product(*vary.values())]
    if not vary and experiment.extra:
        combinations = []
    combinations += [dict(parameters) for parameters in experiment.extra]
    shared = dict(experiment.hold)
    if isinstance(experiment.baseline, str):
        shared["baseline"] = experiment.baseline
    else:
        shared["baseline"] = "none"  # until the id of the run is known
    specs: dict[str, RunSpec] = {}
    for parameters in combinations:
        spec = changed_spec(RunSpec(), {**shared, **parameters})
        specs.setdefault(spec.sha256, spec)
    labels = _labels(specs)
    planned = [
        PlannedRun(key, labels[key], spec, _baseline_of(spec, experiment.baseline, specs))
        for key, spec in specs.items()
    ]
    return sorted(planned, key=lambda run: run.baseline is not None)


def _baseline_of(
    spec: RunSpec, baseline: str | Mapping[str, Any], specs: Mapping[str, RunSpec]
) -> str | None:
    """The key of the run on the same votes with the parameters of the baseline."""
    if isinstance(baseline, str):
        return None
    fields = changed_spec(spec, {name: baseline[name] for name in baseline}).model_dump()
    values = spec.model_dump()
    required = {name: fields[name] for name in {*baseline, *_DATA}}
    if all(values[name] == value for name, value in required.items()):
        return None  # this run is a baseline itself
    candidates = {
        key: sum(other.model_dump()[name] == value for name, value in fields.items())
        for key, other in specs.items()
        if all(getattr(other, name) == value for name, value in required.items())
    }
    if not candidates:
        raise SpecError(
            "no run of the experiment is the baseline of a run",
            f"{spec.chamber} of {spec.session}",
            "vary or add ([[extra]]) a run with " + _words(baseline),
        )
    return max(candidates, key=lambda key: candidates[key])


def _labels(specs: Mapping[str, RunSpec]) -> dict[str, str]:
    """A few words for every run: its session and chamber, and the parameters that vary."""
    dumps = {key: spec.model_dump() for key, spec in specs.items()}
    names = [n for n in RunSpec.model_fields if len({str(d[n]) for d in dumps.values()}) > 1]
    return {
        key: " ".join(
            [_short(values["session"]), values["chamber"]]
            + [_word(name, values[name]) for name in names if name not in _DATA]
        )
        for key, values in dumps.items()
    }


def _word(name: str, value: object) -> str:
    if isinstance(value, bool | int | float):
        return f"{name}={str(value).lower()}"
    if name == "init":
        return "no start" if value == "none" else f"{str(value).partition(':')[0]} start"
    return short(str(value)) if name == "model" else str(value)


def _short(session: str) -> str:
    """The number at the start of a session's name, or the whole name."""
    name = PurePath(session).name
    return name.partition("_")[0] if name[:1].isdigit() else name


def _sessions(values: list[Any], data_dir: Path) -> list[Any]:
    """Sessions, with patterns (``*``) replaced by all matching sessions in the data folder."""
    sessions: list[Any] = []
    for value in values:
        if not isinstance(value, str) or is_database(value) or not set("*?[") & set(value):
            sessions.append(value)
            continue
        path = PurePath(value)
        folder = data_dir if len(path.parts) == 1 else Path(*path.parts[:-1])
        known = available_sessions(folder)
        fitting = [n for n, p in known.items() if p.match(path.name) or PurePath(n).match(value)]
        if not fitting:
            raise DataError(
                "no session fits the pattern",
                value,
                f"looked in {folder}: name another folder with --data-dir",
            )
        sessions += fitting if folder == data_dir else [str(known[n]) for n in fitting]
    # By repr, because a list has no hash.
    return list({repr(session): session for session in sessions}.values())


def _words(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value!r}" for name, value in parameters.items())
