"""An experiment -> the runs it consists of, each a checked RunSpec with a label and a hash."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from tallgrass.errors import DataError, SpecError
from tallgrass.experiment.declaration import Experiment
from tallgrass.rollcalls.sources import available_sessions
from tallgrass.rollcalls.spec import RunSpec, changed_spec

MANY = 10_000
_DATA = ("session", "chamber")  # what runs must share to be compared


@dataclass(frozen=True)
class PlannedRun:
    """A run of an experiment.

    Parameters
    ----------
    key : str
        Hash of the spec as declared; the same when the experiment is run again.
    label : str
        What sets it apart from the other runs, in a few words.
    spec : RunSpec
        The run.
    baseline : str or None
        Key of the run that it is compared with.
    """

    key: str
    label: str
    spec: RunSpec
    baseline: str | None = None


def expand(experiment: Experiment, data_dir: Path, allow_many: bool = False) -> list[PlannedRun]:
    """All runs of an experiment, those that others are compared with first.

    Raises
    ------
    SpecError
        When the matrix is empty, has more than 10,000 runs (and ``allow_many`` is not set), a
        value cannot be used, or no run is the baseline of another.
    DataError
        When a pattern of sessions fits nothing.
    """
    vary = {name: list(values) for name, values in experiment.vary.items()}
    if "session" in vary:
        vary["session"] = _sessions(vary["session"], data_dir)
    empty = [name for name, values in vary.items() if not values]
    if empty or not (vary or experiment.extra or experiment.hold):
        what = f"vary.{empty[0]} has no values" if empty else "nothing is held or varied"
        raise SpecError("an experiment without runs", what, "give at least one value to each")
    count = len(experiment.extra)
    matrix = 1
    for values in vary.values():
        matrix *= len(values)
    count += matrix if vary or not experiment.extra else 0
    if count > MANY and not allow_many:
        raise SpecError(f"more than {MANY:,} runs", count, "add --yes if this is meant")
    chosen = [dict(zip(vary, row, strict=True)) for row in itertools.product(*vary.values())]
    if not vary and experiment.extra:
        chosen = []
    chosen += [dict(one) for one in experiment.extra]
    held = dict(experiment.hold)
    if isinstance(experiment.baseline, str):
        held["baseline"] = experiment.baseline
    else:
        held["baseline"] = "none"  # until the id of the run is known
    specs: dict[str, RunSpec] = {}
    for one in chosen:
        spec = changed_spec(RunSpec(), {**held, **one})
        specs.setdefault(spec.sha256, spec)
    labels = _labels(specs)
    planned = [
        PlannedRun(key, labels[key], spec, _baseline_of(spec, experiment.baseline, specs))
        for key, spec in specs.items()
    ]
    return sorted(planned, key=lambda run: run.baseline is not None)


def _baseline_of(
    spec: RunSpec, wanted: str | Mapping[str, Any], specs: Mapping[str, RunSpec]
) -> str | None:
    """The key of the run on the same votes that has the parameters of the baseline."""
    if isinstance(wanted, str):
        return None
    fields = changed_spec(spec, {name: wanted[name] for name in wanted}).model_dump()
    own = spec.model_dump()
    needed = {name: fields[name] for name in {*wanted, *_DATA}}
    if all(own[name] == value for name, value in needed.items()):
        return None  # it is a baseline itself
    found = {
        key: sum(other.model_dump()[name] == value for name, value in fields.items())
        for key, other in specs.items()
        if all(getattr(other, name) == value for name, value in needed.items())
    }
    if not found:
        raise SpecError(
            "no run of the experiment is the baseline of a run",
            f"{spec.chamber} of {spec.session}",
            "vary or add ([[extra]]) a run with " + _words(wanted),
        )
    return max(found, key=lambda key: found[key])


def _labels(specs: Mapping[str, RunSpec]) -> dict[str, str]:
    """A few words for every run: its session and chamber, and what is not the same in all."""
    dumps = {key: spec.model_dump() for key, spec in specs.items()}
    names = [n for n in RunSpec.model_fields if len({str(one[n]) for one in dumps.values()}) > 1]
    return {
        key: " ".join(
            [_short(one["session"]), one["chamber"]]
            + [_word(name, one[name]) for name in names if name not in _DATA]
        )
        for key, one in dumps.items()
    }


def _word(name: str, value: object) -> str:
    if isinstance(value, bool | int | float):
        return f"{name}={str(value).lower()}"
    if name == "init":
        return "no start" if value == "none" else f"{str(value).partition(':')[0]} start"
    return str(value)


def _short(session: str) -> str:
    """The number of a legislature out of its name, or the name."""
    name = PurePath(session).name
    return name.partition("_")[0] if name[:1].isdigit() else name


def _sessions(values: list[Any], data_dir: Path) -> list[Any]:
    """Sessions with patterns (``*``) replaced by every session they fit in the data folder."""
    found: list[Any] = []
    for value in values:
        if not isinstance(value, str) or not set("*?[") & set(value):
            found.append(value)
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
        found += fitting if folder == data_dir else [str(known[n]) for n in fitting]
    return list({repr(one): one for one in found}.values())  # a list has no hash


def _words(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value!r}" for name, value in parameters.items())
