"""Runs on roll calls and links whose process is gone, prepared again to be finished."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tallgrass.errors import DataError
from tallgrass.inputs.paths import as_given_from
from tallgrass.machine import Finding
from tallgrass.rollcalls.earlier import stored_spec
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.identity import Identity
from tallgrass.rollcalls.link import SPEC, LinkStudy, link_study
from tallgrass.rollcalls.linking import LinkOptions
from tallgrass.rollcalls.memory import SESSION, STORED
from tallgrass.rollcalls.models.from_file import drawn_model
from tallgrass.rollcalls.prepare import PRIORS, FromFile, prepare
from tallgrass.rollcalls.reading import read
from tallgrass.rollcalls.run import RollCallStudy
from tallgrass.rollcalls.sources import several
from tallgrass.settings import Settings
from tallgrass.study.model_file import is_reference
from tallgrass.tracking.reading.records import artifact

if TYPE_CHECKING:
    from xarray import DataTree


def recovered_run(
    trace: "DataTree",
    settings: Settings,
    working_dir: Path,
    findings: tuple[Finding, ...],
    baseline: str | None,
) -> RollCallStudy:
    """The study that a trace is of, its votes read again.

    Parameters
    ----------
    trace : DataTree
        The draws; its root says the spec and the fingerprint of the data.
    settings : Settings
        ``data_dir`` is that of the run.
    working_dir : Path
        Where the run was started: a path of its spec is relative to it.
    findings : tuple of Finding
        What was found about the machine when the run was made.
    baseline : str or None
        Id of the run that it was to be compared with.

    Raises
    ------
    DataError
        When the votes cannot be read, or are no longer those of the run.
    """
    spec = stored_spec(trace.attrs["spec"])
    if spec.session == SESSION:
        session = f"{STORED}{trace.attrs['run_id']}"
    else:
        found_from = several.as_given_from if spec.model == "dynamic" else as_given_from
        session = found_from(working_dir, spec.session)
    found = {
        name: as_given_from(working_dir, getattr(spec, name)) for name in ("members", "groups")
    }
    data = read(spec.model_copy(update={"session": session, **found}), settings)
    if not _same(data.identity, trace):
        raise DataError("the votes are no longer those of the run", data.location)
    asked = spec if baseline is None else spec.model_copy(update={"baseline": baseline})
    file = _file_of(trace) if is_reference(spec.model) else None
    prepared = prepare(asked, data, findings, inspect=False, file=file)
    if file is None:
        _label(trace, prepared.model.graph.coords)
    # The report shows the spec as it was given.
    return RollCallStudy(replace(prepared, spec=spec))


def _file_of(trace: "DataTree") -> FromFile:
    """What stands for a model of the user's: its code is never run for a stored run."""
    with artifact(trace.attrs["run_id"], PRIORS) as (_, path):
        priors = json.loads(path.read_text("utf-8"))
    return FromFile(drawn_model(list(map(str, trace["posterior"].data_vars))), priors)


def _same(data: Identity, trace: "DataTree") -> bool:
    """Whether the draws are of these votes; version 0.1 kept a fingerprint without parties."""
    known = trace.attrs["data_sha256"]
    if known == data.former:
        index = trace["constant_data"]["party_index"].to_numpy()
        now = [PARTIES.index(p) if p in PARTIES else -1 for p in data.parties.values()]
        return bool(np.array_equal(index, now))
    return bool(known == data.fingerprint)


def _label(trace: "DataTree", coords: Mapping[str, Any]) -> None:
    """Give the draws the labels that a sampler gives them: names of groups, chambers, parties."""
    posterior = trace["posterior"].to_dataset()
    labels = {
        dim: list(coords[dim])
        for dim in map(str, posterior.dims)
        if dim in coords and dim not in posterior.coords
    }
    trace["posterior"] = posterior.assign_coords(labels)


def recovered_link(run_id: str) -> LinkStudy:
    """The link that a run was to hold, made again from its two runs.

    Raises
    ------
    TallgrassError
        When the run holds no record of them, or one of them is gone.
    """
    with artifact(run_id, SPEC) as (_, path):
        stored = json.loads(path.read_text("utf-8"))
    reference, target = stored.pop("reference"), stored.pop("target")
    stored["anchors"] = tuple(stored["anchors"])
    return link_study(reference, target, LinkOptions(**stored))
