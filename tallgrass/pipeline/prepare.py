"""All that can be refused is refused here, before a run exists: votes, baseline, start, model."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tallgrass import history
from tallgrass.errors import DataError, SpecError
from tallgrass.machine import Finding, inspect_machine
from tallgrass.models import Model, build_model
from tallgrass.settings import Settings
from tallgrass.sources import load_votes, source_of
from tallgrass.specs import RunSpec
from tallgrass.start import Start, make_start
from tallgrass.votes import FilterLog, VoteMatrix, filter_votes

MIN_COMMON = 3  # legislators shared with a baseline, for a correlation to mean something


@dataclass(frozen=True, eq=False)
class Baseline:
    """An earlier run that this one is compared with."""

    run_id: str
    model: str
    positions: "pd.Series[float]"  # posterior mean by legislator slug


@dataclass(frozen=True, eq=False)
class Read:
    """The votes of a run, filtered, and where they are from."""

    source: str
    location: str
    votes: VoteMatrix
    filter_log: FilterLog


@dataclass(frozen=True, eq=False)
class Prepared:
    """A run that is ready to be sampled."""

    spec: RunSpec
    data: Read
    start: Start
    model: Model
    findings: tuple[Finding, ...]
    baseline: Baseline | None
    flat_table: pd.DataFrame | None


def read(spec: RunSpec, settings: Settings) -> Read:
    """Read and filter the votes.

    Raises
    ------
    DataError
        When they cannot be read, or too little is left of them.
    """
    source, location = source_of(spec.session, settings.data_dir)
    everything = load_votes(spec.session, spec.chamber, settings.data_dir)
    parties = spec.model != "flat"
    votes, log = filter_votes(everything, spec.minority_threshold, spec.min_votes, parties)
    if len(votes.legislators) < MIN_COMMON:
        raise DataError(
            f"too few legislators left of the {votes.chamber} of {votes.session}",
            len(votes.legislators),
            f"at least {MIN_COMMON} are needed; lower min_votes",
        )
    return Read(source, str(location), votes, log)


def prepare(
    spec: RunSpec,
    data: Read,
    known: tuple[Finding, ...] = (),
    state: Path | None = None,
) -> Prepared:
    """Choose the start, build the model, look at the machine and find the baseline.

    ``known`` are findings about the machine that were made before, ``state`` is where draws are
    kept while they are made.

    Raises
    ------
    TallgrassError
        When the data cannot carry the model, or the start or the baseline cannot be used.
    """
    votes = data.votes
    start = make_start(votes, spec.init, _past_positions(spec.init))
    model = build_model(votes, spec, start)
    findings = inspect_machine(
        spec.chains,
        _values_a_draw(votes),
        spec.draws + spec.tune,
        Path.cwd(),
        spec.sampler,
        state,
    )
    findings = (*findings, *known)
    for finding in findings:
        if finding.level == "fatal":
            raise SpecError(finding.message)
    return Prepared(
        spec=spec,
        data=data,
        start=start,
        model=model,
        findings=findings,
        baseline=find_baseline(spec, votes),
        flat_table=None if spec.model == "flat" else _flat_table(votes),
    )


def find_baseline(spec: RunSpec, votes: VoteMatrix) -> Baseline | None:
    """The baseline that the spec asks for, with its positions; None where there is none.

    Raises
    ------
    DataError
        When a baseline that was asked for by id shares too few legislators with the votes.
    TrackingError
        When it does not exist or has no table of ideal points.
    """
    if spec.baseline == "none":
        return None
    asked = spec.baseline != "auto"
    run_id = spec.baseline if asked else history.find_baseline(votes.fingerprint, spec)
    if run_id is None:
        return None
    table = history.ideal_points(run_id)
    positions = table.set_index("slug")["mean"].astype(float)
    common = int(np.isin(votes.slugs, positions.index.to_numpy(str)).sum())
    if common < MIN_COMMON:
        raise DataError(
            "the baseline shares too few legislators with these votes",
            run_id,
            f"{common} of {len(votes.slugs)} are common: name a run on the same chamber, "
            "or baseline=none",
        )
    return Baseline(run_id, history.rerun_spec(run_id).model, positions)


def _past_positions(init: str) -> dict[str, float] | None:
    if not init.startswith("run:"):
        return None
    table = history.ideal_points(init.removeprefix("run:"))
    return dict(zip(table["slug"].astype(str), table["mean"].astype(float), strict=True))


def _flat_table(votes: VoteMatrix) -> pd.DataFrame | None:
    """Ideal points of a flat run on the same votes, for the shrinkage section."""
    run_id = history.find_flat(votes.fingerprint)
    return None if run_id is None else history.ideal_points(run_id)


def _values_a_draw(votes: VoteMatrix) -> int:
    return len(votes.legislators) + 2 * len(votes.rollcalls) + 4
