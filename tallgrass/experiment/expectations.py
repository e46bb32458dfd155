"""The expected outcome of an experiment: statements about runs, checked on their results."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from tallgrass.errors import SpecError, nearest
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.tracking.reading import MEASURES

METRICS = [measure.metric for measure in MEASURES]
# Conditions on words, with the words that a run can have.
_WORDS = {
    "verdict": ["pass", "fail", "unresolved"],
    "fit": ["fits", "questioned", "not checked"],
}
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_CONDITION = re.compile(
    rf"(?P<relation><=|>=|<|>|=)\s*(?:(?P<number>{_NUMBER})|(?:(?P<times>{_NUMBER})\s*\*\s*)?"
    r"(?P<baseline>baseline))"
)
_HOLDS = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b,
}


@dataclass(frozen=True)
class Expectation:
    """A statement: the runs with these parameters have this verdict and meet these conditions.

    Parameters
    ----------
    where : mapping of str to list
        Run parameters and values that select runs; all runs if empty.
    conditions : mapping of str to str
        ``verdict`` -> ``pass``, ``fail`` or ``unresolved``; ``fit`` -> ``fits``, ``questioned`` or
        ``not checked``; a metric -> a comparison with a number (``< 1.01``) or with the run's
        baseline (``> 2 * baseline``).
    """

    where: Mapping[str, list[Any]]
    conditions: Mapping[str, str]

    @property
    def words(self) -> str:
        """The statement in words."""
        runs = ", ".join(f"{k} {' or '.join(map(str, v))}" for k, v in self.where.items())
        conditions = " and ".join(f"{name} {value}" for name, value in self.conditions.items())
        return f"{runs or 'every run'}: {conditions}"


@dataclass(frozen=True)
class Answer:
    """Whether an expectation holds: ``yes``, ``no``, or ``open`` if a run cannot decide it."""

    expectation: Expectation
    holds: Literal["yes", "no", "open"]
    reasons: tuple[str, ...]


def read_expectation(table: Mapping[str, Any]) -> Expectation:
    """An expectation from its table: parameters select runs, the other keys are conditions.

    Raises
    ------
    SpecError
        When a key is unknown, a condition cannot be read, or there is no condition.
    """
    where: dict[str, list[Any]] = {}
    conditions: dict[str, str] = {}
    for key, value in table.items():
        if key in RunSpec.model_fields:
            where[key] = value if isinstance(value, list) else [value]
        elif key in _WORDS:
            if value not in _WORDS[key]:
                raise SpecError(f"expect.{key}: unknown {key}", value, nearest("", _WORDS[key]))
            conditions[key] = value
        elif key in METRICS:
            if not isinstance(value, str) or not _CONDITION.fullmatch(value.strip()):
                mend = 'use a comparison, such as "< 1.01" or "> 2 * baseline"'
                raise SpecError(f"expect.{key}: unknown condition", value, mend)
            conditions[key] = value.strip()
        else:
            known = [*RunSpec.model_fields, *_WORDS, *METRICS]
            raise SpecError("unknown key in the experiment", f"expect.{key}", nearest(key, known))
    if not conditions:
        mend = 'add verdict = "pass" or a metric, such as rhat_max = "< 1.01"'
        raise SpecError("an expectation that states nothing", dict(where), mend)
    return Expectation(where, conditions)


def answer(expectations: Sequence[Expectation], runs: pd.DataFrame) -> list[Answer]:
    """Decide every expectation.

    Parameters
    ----------
    expectations : sequence of Expectation
        The statements.
    runs : DataFrame
        One row per run: label, finished (bool), verdict, fit, baseline_run_id, run parameters and
        metrics by name; index run id.
    """
    return [_answer(expectation, runs) for expectation in expectations]


def _answer(expectation: Expectation, runs: pd.DataFrame) -> Answer:
    selected = runs
    for name, values in expectation.where.items():
        texts = {_text(value) for value in values}
        # As an array, because pandas would read an empty list as a choice of no columns.
        selected = selected[np.array([_text(value) in texts for value in selected[name]], bool)]
    broken: list[str] = []
    open_: list[str] = []
    for _, run in selected.iterrows():
        for name, condition in expectation.conditions.items():
            holds, reason = _decided(name, condition, run, runs)
            if holds is not True:
                (open_ if holds is None else broken).append(f"{run['label']}: {reason}")
    if broken:
        return Answer(expectation, "no", tuple(broken))
    if selected.empty:
        return Answer(expectation, "open", ("no run has these parameters",))
    return Answer(expectation, "open" if open_ else "yes", tuple(open_))


def _decided(
    name: str, condition: str, run: "pd.Series[Any]", runs: pd.DataFrame
) -> tuple[bool | None, str]:
    if not run["finished"]:
        return None, "did not finish"
    value = run.get(name)
    if name in _WORDS:
        if name == "fit" and pd.isna(value):  # a run of an earlier version
            return None, "no fit"
        return value == condition, f"{name} {value}"
    if value is None or pd.isna(value):
        return None, f"no {name}"
    match = _CONDITION.fullmatch(condition)
    assert match is not None  # checked in read_expectation
    if match["baseline"] is None:
        limit = float(match["number"])
    else:
        baseline = run["baseline_run_id"]
        if baseline not in runs.index:
            return None, f"no baseline to compare {name} with"
        limit = float(runs.loc[baseline, name]) * float(match["times"] or 1)
    return bool(_HOLDS[match["relation"]](value, limit)), f"{name} {value:g}, not {condition}"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
