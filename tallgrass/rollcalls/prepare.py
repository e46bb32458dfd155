"""All that can be refused is refused here, before a run exists: votes, baseline, start, model."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from tallgrass.errors import DataError, SpecError, TrackingError
from tallgrass.inference.precision import require_double
from tallgrass.machine import Finding, inspect_machine
from tallgrass.rollcalls import earlier
from tallgrass.rollcalls.career_analysis import long_run
from tallgrass.rollcalls.careers import careers_start
from tallgrass.rollcalls.chambers import CHAMBERS, JointVotes, joint_start
from tallgrass.rollcalls.compare import fixed_members
from tallgrass.rollcalls.external import Scores, scores_for
from tallgrass.rollcalls.identity import Identity, identity
from tallgrass.rollcalls.models import Model, build_model
from tallgrass.rollcalls.reading import Read
from tallgrass.rollcalls.signs import directed, sign_warnings
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.start import Start, make_start
from tallgrass.rollcalls.votes import VoteMatrix

logger = logging.getLogger(__name__)

PRIORS = "spec/prior.json"
MIN_COMMON = 3  # legislators shared with a baseline, for a correlation to mean something


@dataclass(frozen=True, eq=False)
class Baseline:
    """An earlier run that this one is compared with."""

    run_id: str
    model: str
    positions: "pd.Series[float]"  # posterior mean by legislator slug
    fixed: frozenset[str] = frozenset()  # slugs of its anchors
    dims: int = 1
    second: "pd.Series[float] | None" = None  # positions on its second axis


@dataclass(frozen=True, eq=False)
class FromFile:
    """A model that is the user's, from a file of theirs.

    Parameters
    ----------
    model : Model
        The model.
    priors : mapping of str to str
        Distribution of each free variable, in PyMC's words.
    tags, texts : mapping of str to str
        What is recorded of the file.
    """

    model: Model
    priors: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Posed:
    """The question that chains answer: a model and its start; and what the machine is for it."""

    start: Start
    model: Model
    findings: tuple[Finding, ...]


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
    own_fits: "OwnFits | None" = None
    scores: Scores | None = None
    file: FromFile | None = None


@dataclass(frozen=True, eq=False)
class OwnFits:
    """Each chamber's own fit, which a joint run is held against.

    Parameters
    ----------
    run_ids : dict of str to str
        By chamber, the run of the hierarchical model on the same votes that passed; empty text
        where there is none, and the PCA scores stand in.
    scores : ndarray, shape (n_legislators,)
        Positions in the order of the joint votes, each chamber on its own scale.
    """

    run_ids: dict[str, str]
    scores: np.ndarray


def pose(
    spec: RunSpec,
    data: Read,
    state: Path | None = None,
    inspect: bool = True,
    file: FromFile | None = None,
) -> Posed:
    """Choose the start, build the model and look at the machine.

    The store is asked only for a start from an earlier run. Parameters are those of
    :func:`prepare`.

    Raises
    ------
    TallgrassError
        When the data or the machine cannot carry the model, or the start cannot be used.
    """
    require_double()
    votes = data.votes
    past = _past_positions(spec.init)
    if data.careers is not None:
        start = careers_start(data.careers, spec.init, past)
    elif data.joint is None:
        start = make_start(votes, spec.init, past, _past_positions(spec.init, "mean_2"))
        if file is None:
            start = directed(votes, start, spec.rollcall_signs, spec.anchors)
    else:
        start = joint_start(data.joint, spec.init, past)
    data_of_model = data.careers or data.joint or votes
    model = build_model(data_of_model, spec, start) if file is None else file.model
    if spec.rollcall_signs:
        warned = sign_warnings(votes, start, spec.rollcall_signs)
        model = replace(model, warnings=(*model.warnings, *warned))
    return Posed(start, model, _inspected(spec, votes, state) if inspect else ())


def prepare(
    spec: RunSpec,
    data: Read,
    known: tuple[Finding, ...] = (),
    state: Path | None = None,
    inspect: bool = True,
    file: FromFile | None = None,
    posed: Posed | None = None,
) -> Prepared:
    """Choose the start, build the model, look at the machine and find the baseline.

    Parameters
    ----------
    known : tuple of Finding
        Findings about the machine that were made before.
    state : Path, optional
        Where draws are kept while they are made.
    inspect : bool
        Whether to look at the machine; not for draws that are there already.
    file : FromFile, optional
        A model of the user's, which takes the place of that of the spec.
    posed : Posed, optional
        Start and model, where they are made already.

    Raises
    ------
    TallgrassError
        When the data cannot carry the model, or the start or the baseline cannot be used.
    """
    votes = data.votes
    posed = posed or pose(spec, data, state, inspect, file)
    start, findings = posed.start, (*posed.findings, *known)
    if inspect and data.careers is not None:
        findings += long_run(data.careers, spec)
    return Prepared(
        spec=spec,
        data=data,
        start=start,
        model=posed.model,
        findings=findings,
        baseline=find_baseline(spec, votes, data.identity),
        flat_table=_flat_table(votes) if spec.model == "hierarchical" else None,
        own_fits=None if data.joint is None else _own_fits(data.joint, start),
        scores=None if data.careers is not None else scores_for(spec, data),
        file=file,
    )


def _inspected(spec: RunSpec, votes: VoteMatrix, state: Path | None) -> tuple[Finding, ...]:
    """What is to be said about the machine.

    Raises
    ------
    SpecError
        When it cannot carry the run.
    """
    findings = inspect_machine(
        spec.chains,
        _values_a_draw(votes, spec.dims),
        spec.most_draws + spec.tune,
        Path.cwd(),
        spec.sampler,
        state,
    )
    for finding in findings:
        if finding.level == "fatal":
            raise SpecError(finding.message)
    return findings


def find_baseline(
    spec: RunSpec, votes: VoteMatrix, data: Identity | None = None
) -> Baseline | None:
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
    run_id = spec.baseline if asked else earlier.find_baseline(data or identity(votes), spec)
    if run_id is None:
        return None
    try:
        table = earlier.ideal_points(run_id)
        earlier_spec = earlier.rerun_spec(run_id)
    except TrackingError as error:
        if asked:
            raise TrackingError(
                error.what, error.received, "name another run, or use --baseline none"
            ) from error
        # What was found, and not asked for, must not stop a run that has nothing to do with it.
        _warn_of_lost("compared with no baseline", run_id, error)
        return None
    positions = table.set_index("slug")["mean"].astype(float)
    common = int(np.isin(votes.slugs, positions.index.to_numpy(str)).sum())
    if common < MIN_COMMON:
        raise DataError(
            "the baseline shares too few legislators with these votes",
            run_id,
            f"{common} of {len(votes.slugs)} are common: name a run on the same chamber, "
            "or baseline=none",
        )
    second = table.set_index("slug")["mean_2"].astype(float) if "mean_2" in table else None
    return Baseline(
        run_id,
        earlier_spec.model,
        positions,
        fixed_members(table),
        earlier_spec.dims,
        second,
    )


def _own_fits(joint: JointVotes, start: Start) -> OwnFits:
    scores, run_ids = start.pca.copy(), {}
    for chamber in CHAMBERS:
        votes = joint.as_read(chamber)
        run_id = earlier.find_passed(identity(votes), "hierarchical")
        table = None if run_id is None else _table_if_there(run_id)
        run_ids[chamber] = "" if run_id is None or table is None else run_id
        if table is not None:
            means = table.set_index("slug")["mean"].astype(float)
            scores[joint.rows[chamber]] = means[list(votes.slugs)].to_numpy()
    return OwnFits(run_ids, scores)


def _past_positions(init: str, column: str = "mean") -> dict[str, float] | None:
    if not init.startswith("run:"):
        return None
    table = earlier.ideal_points(init.removeprefix("run:"))
    if column not in table:  # a run in one dimension has no second axis
        return None
    return dict(zip(table["slug"].astype(str), table[column].astype(float), strict=True))


def _flat_table(votes: VoteMatrix) -> pd.DataFrame | None:
    """Ideal points of a flat run on the same votes, for the shrinkage section."""
    run_id = earlier.find_flat(identity(votes))
    return None if run_id is None else _table_if_there(run_id)


def _table_if_there(run_id: str) -> pd.DataFrame | None:
    """The ideal points of a run that was found, and not asked for; None where they are lost."""
    try:
        return earlier.ideal_points(run_id)
    except TrackingError as error:
        _warn_of_lost("an earlier run is left out", run_id, error)
        return None


def _warn_of_lost(what: str, run_id: str, error: TrackingError) -> None:
    logger.warning("%s, as run %s cannot be read: %s", what, run_id, error)


def _values_a_draw(votes: VoteMatrix, dims: int) -> int:
    return dims * len(votes.legislators) + (1 + dims) * len(votes.rollcalls) + 2 + 2 * dims
