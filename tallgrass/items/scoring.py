"""Score new persons by the items of a calibration, in one pass over a file or query of any length.

Answers are read in pieces, persons are scored as soon as all their answers are there, and scores
are written as they come, to a file beside the wanted one that takes its name at the end: what is
under that name is whole. The numbers are those of the MLflow model of the run
(:mod:`tallgrass.items.served`).
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tallgrass.errors import DataError, SpecError, nearest
from tallgrass.escaping import neutralised
from tallgrass.inputs.limits import DEFAULT_LIMITS, Limits
from tallgrass.inputs.paths import is_database
from tallgrass.items.earlier import calibration_spec, item_table
from tallgrass.items.model_columns import threshold_columns
from tallgrass.items.persons import Bank, persons_of
from tallgrass.items.served import ERRORS, METHODS, Items
from tallgrass.items.sources.files import require_file
from tallgrass.items.sources.request import ResponseRequest

if TYPE_CHECKING:
    from io import TextIOWrapper

logger = logging.getLogger(__name__)

PERSONS_TIMES_ITEMS = 2_000_000  # or times nodes: scored at a time, 16 MB a table


class Scored(NamedTuple):
    """How many persons were scored, with how many answers, and where the scores are."""

    persons: int
    answers: int
    output: Path


def bank_of_run(run_id: str, mean: float | None = None, sd: float | None = None) -> Bank:
    """The items of a stored calibration; the population is that of the run, if not given.

    Raises
    ------
    TrackingError
        When the run is unknown or stores no items.
    DataError
        When the run is not a calibration.
    """
    from tallgrass.tracking import reading

    spec = calibration_spec(run_id)
    if spec is None:
        raise DataError("scores need a calibration", run_id, "tallgrass runs lists what each is")
    table = item_table(run_id)
    metrics = reading.details(reading.find_run(run_id))["metrics"]
    columns = threshold_columns(table) or ["b"]
    n = len(table)
    items = Items(
        table["a"].to_numpy(float),
        table[columns].to_numpy(float),
        table["c"].to_numpy(float) if "c" in table else np.zeros(n),
        metrics.get("population/mean", 0.0) if mean is None else mean,
        metrics.get("population/sd", 1.0) if sd is None else sd,
    )
    lowest = table["lowest"].to_numpy(np.int64) if "lowest" in table else np.zeros(n, np.int64)
    graded = spec.item_model == "graded"
    return Bank(tuple(table["item"].astype(str)), items, lowest, graded)


def require_source(request: ResponseRequest) -> None:
    """Refuse what is no file before the run is looked for.

    Raises
    ------
    DataError
        When the responses are neither in a database nor in a file.
    """
    if not is_database(request.location):
        require_file(request)


def methods_of(text: str) -> tuple[str, ...]:
    """Ways of scoring from a list with commas.

    Raises
    ------
    SpecError
        When one is unknown, or none is named.
    """
    methods = tuple(filter(None, (part.strip() for part in text.split(","))))
    for name in methods:
        if name not in METHODS:
            raise SpecError("methods: unknown way of scoring", name, nearest(name, list(METHODS)))
    if not methods or len(set(methods)) < len(methods):
        raise SpecError("methods: name each once", text, "write eap,map,wle")
    return methods


def score(
    bank: Bank,
    request: ResponseRequest,
    output: Path,
    methods: tuple[str, ...] = ("eap",),
    limits: Limits = DEFAULT_LIMITS,
    on_persons: Callable[[int], None] | None = None,
) -> Scored:
    """Score every person of the responses and write a CSV file, one row a person.

    Columns are the request's user column, ``n`` answers, and by method the ability and its standard
    error: ``eap``, ``eap_sd``, ``map``, ``map_se``, ``wle``, ``wle_se``.

    Parameters
    ----------
    request : ResponseRequest
        A long table whose rows of a person follow each other, or a wide one.
    on_persons : callable, optional
        Called with the number of persons scored so far.

    Raises
    ------
    DataError
        When the answers cannot be read, an item is not one of the bank, an answer is none that was
        calibrated, or a person's rows are not together; then no output is written.
    """
    request = replace(request, graded=bank.graded, min_responses=1)
    part = output.with_name(f".{output.name}.part")
    total, answered, identities = 0, 0, []
    try:
        with part.open("w", encoding="utf-8", newline="") as stream:
            for names, answers in persons_of(bank, request, limits):
                identities.append(pd.util.hash_array(names))
                at_once = max(PERSONS_TIMES_ITEMS // max(len(bank.names), 121), 1)
                for low in range(0, len(names), at_once):
                    rows = slice(low, low + at_once)
                    scores = bank.items.score(answers[rows], methods)
                    _write(stream, request.user, names[rows], scores, methods, total == 0)
                    total += len(names[rows])
                    answered += int(scores["n"].sum())
                    if on_persons is not None:
                        on_persons(total)
        if not total:
            raise DataError("no answers to score", request.location, "are they the same items?")
        _refuse_scattered(np.concatenate(identities))
        part.replace(output)
    except OSError as error:
        raise DataError("the scores cannot be written", str(output), str(error.strerror)) from None
    finally:
        part.unlink(missing_ok=True)
    return Scored(total, answered, output)


def _write(
    stream: "TextIOWrapper",
    user: str,
    names: NDArray[np.object_],
    scores: dict[str, NDArray[np.float64]],
    methods: tuple[str, ...],
    first: bool,
) -> None:
    columns = ["n", *(name for method in methods for name in (method, ERRORS[method]))]
    # A spreadsheet must not run a name as a formula, as in the tables of a run.
    safe = {neutralised(user): [neutralised(name) for name in names]}
    table = pd.DataFrame({**safe, **{name: scores[name] for name in columns}})
    table.to_csv(stream, index=False, header=first, float_format="%.6g")


def _refuse_scattered(identities: NDArray[np.uint64]) -> None:
    n = len(identities) - len(np.unique(identities))
    if n:
        raise DataError(
            "the rows of a person are not together",
            f"{n:,} persons begin more than once",
            "sort a long file by person (a query: ORDER BY), or make it wide",
        )
