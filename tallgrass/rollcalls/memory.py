"""Votes that were given in memory: kept with their run, so that it can be made again.

A copy of all votes, unfiltered, is the artifact ``data/votes.json`` of the run; the session
``run:<id>`` is the votes of that run.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from typing import Any

import numpy as np
import pandas as pd

from tallgrass.errors import DataError, SpecError
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix
from tallgrass.tracking.reading.records import artifact

SESSION = "memory"  # of a run whose votes were given
STORED = "run:"  # how a session begins that is the votes of a run
COPY = "data/votes.json"
_LETTERS = {1: "y", -1: "n", 0: "."}

type Given = VoteMatrix | pd.DataFrame | Mapping[str, VoteMatrix] | Sequence[VoteMatrix]


def given_votes(spec: RunSpec, votes: Given) -> tuple[RunSpec, dict[str, VoteMatrix]]:
    """The spec of a run on these votes, and the votes by chamber.

    Parameters
    ----------
    votes : VoteMatrix, DataFrame or mapping
        One chamber, or a table as :meth:`VoteMatrix.from_frame` takes it; for the joint model
        ``house`` and ``senate``; for the dynamic model a list of many sessions.

    Raises
    ------
    DataError
        When a table cannot be read.
    SpecError
        When the joint model is given one chamber, or another model two.
    """
    if isinstance(votes, pd.DataFrame):
        votes = VoteMatrix.from_frame(votes, chamber=spec.chamber)
    if spec.model == "dynamic":
        return spec.model_copy(update={"session": SESSION}), _many_sessions(votes)
    if not isinstance(votes, VoteMatrix | Mapping):
        raise SpecError(
            "votes: several sessions go with the dynamic model",
            f"model={spec.model}",
            "give one VoteMatrix, or add model=dynamic",
        )
    chambers = {votes.chamber: votes} if isinstance(votes, VoteMatrix) else dict(votes)
    wanted = {"house", "senate"} if spec.model == "joint" else {next(iter(chambers), "")}
    if set(chambers) != wanted or not wanted <= {"house", "senate"}:
        raise SpecError(
            "votes: chambers that do not go with the model",
            f"{', '.join(chambers)}; model={spec.model}",
            "give one VoteMatrix, or house and senate with model=joint",
        )
    chamber = "both" if spec.model == "joint" else next(iter(chambers))
    return spec.model_copy(update={"session": SESSION, "chamber": chamber}), chambers


def _many_sessions(votes: Given) -> dict[str, VoteMatrix]:
    """Votes by chamber and session (``house 2019``)."""
    matrices = list(votes.values()) if isinstance(votes, Mapping) else votes
    if isinstance(matrices, VoteMatrix | pd.DataFrame):
        raise SpecError(
            "votes: the dynamic model takes a list of sessions",
            type(votes).__name__,
            "give two VoteMatrix or more, each with its session",
        )
    return {f"{matrix.chamber} {matrix.session}": matrix for matrix in matrices}


def to_text(chambers: Mapping[str, VoteMatrix]) -> str:
    """Votes as JSON; rows are texts of y, n and a point for what was not observed."""
    return json.dumps(
        {
            name: {
                "session": votes.session,
                "legislators": [astuple(member) for member in votes.legislators],
                "rollcalls": [astuple(rollcall) for rollcall in votes.rollcalls],
                "cells": ["".join(_LETTERS[int(x)] for x in row) for row in votes.cells],
            }
            for name, votes in chambers.items()
        }
    )


def from_text(text: str) -> dict[str, VoteMatrix]:
    """The votes that :func:`to_text` wrote.

    Raises
    ------
    DataError
        When the text is of another form.
    """
    values = {letter: value for value, letter in _LETTERS.items()}
    try:
        return {
            name: VoteMatrix(
                np.array([[values[x] for x in row] for row in part["cells"]], np.int8),
                tuple(map(_member, part["legislators"])),
                tuple(RollCall(*rollcall) for rollcall in part["rollcalls"]),
                part["session"],
                name.partition(" ")[0],
            )
            for name, part in json.loads(text).items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError("a copy of votes of another form", type(error).__name__) from None


def _member(part: Sequence[Any]) -> Legislator:
    """A legislator; version 0.2 and earlier kept no further columns."""
    slug, name, party, district, *rest = part
    columns = tuple((str(column), str(value)) for column, value in (rest[0] if rest else ()))
    return Legislator(slug, name, party, district, columns)


def votes_of_run(session: str) -> dict[str, VoteMatrix] | None:
    """The votes of the run that a session ``run:<id>`` names; None for another session.

    Raises
    ------
    TrackingError
        When there is no such run, or its votes were not given in memory.
    """
    if not session.startswith(STORED):
        return None
    with artifact(session.removeprefix(STORED), COPY) as (_, path):
        return from_text(path.read_text("utf-8"))
