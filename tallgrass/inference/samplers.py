"""The samplers: nutpie (default) and PyMC's NUTS."""

import logging
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from tallgrass.errors import SamplingError
from tallgrass.inference.draws import (
    DrawSink,
    Interrupted,
    Model,
    Raw,
    Sampled,
    Watch,
    never,
)
from tallgrass.inference.progress import ChainProgress, Observer
from tallgrass.inference.pymc_nuts import sample_with_pymc
from tallgrass.inference.spec import SamplerSpec

if TYPE_CHECKING:
    from tallgrass.inference.nutpie_chains import NutpieChains

_log = logging.getLogger(__name__)


def sample_and_assemble(
    model: Model,
    spec: SamplerSpec,
    assembled: Callable[[xr.DataTree, Mapping[str, Any]], xr.DataTree],
    observer: Observer | None = None,
    sink: DrawSink | None = None,
    stopped: Callable[[], bool] = never,
    begun: "NutpieChains | None" = None,
) -> Sampled:
    """Draw from the posterior of a model of any data.

    Parameters
    ----------
    assembled : callable
        (trace of the sampler, attributes of the root) -> the trace as it is stored.
    observer, sink, stopped
        As in :class:`tallgrass.inference.draws.Watch`. An error that the observer raises never
        stops sampling; the first one is logged.
    begun : NutpieChains, optional
        Chains of this model and spec that sample already; see :func:`ahead`.

    Raises
    ------
    Interrupted
        On Ctrl-C or SIGTERM; it carries the draws made until then.
    SamplingError
        When the sampler cannot start or stops by itself.
    """
    attributes = {
        "sampler": spec.sampler,
        "sampler_version": version(spec.sampler),
        "trajectory": trajectory(model.trajectory, spec),
        "adaptation": adaptation(model.adaptation, spec),
    }
    if sink is not None:
        variables = model.variables
        frame = assembled(_without_draws(variables, spec.chains), attributes)
        sink.begin(spec.chains, variables, frame)
    watch = Watch(observer and harmless(observer), sink, stopped)
    raw = SAMPLERS[spec.sampler](model, spec, watch) if begun is None else begun.followed(watch)
    sampled = None
    if raw.tree is not None:
        times = {"compile_s": raw.compile_s, "sampling_s": raw.sampling_s}
        trace = assembled(raw.tree, {**attributes, **times})
        sampled = Sampled(trace, *raw[1:4], ahead_s=raw.ahead_s)
    if raw.interrupted:
        raise Interrupted(sampled)
    if sampled is None:
        raise SamplingError("the sampler returned no draws", spec.sampler)
    return sampled


def trajectory(of_model: str, spec: SamplerSpec) -> str:
    """The steps that trajectories are made of: those of the spec, else those that suit the model.

    ``leapfrog`` alternates kicks by the gradient with straight drifts. ``normal`` rotates position
    and momentum as a standard normal density would, in the units of the mass matrix, and kicks by
    the rest of the gradient (Shahbaba, Lan, Johnson & Neal 2014, "Split Hamiltonian Monte Carlo").
    The error of such a step comes only from the part of the density that is not normal, so that
    steps are longer. Both sample the same posterior.
    """
    if spec.trajectory != "auto":
        return spec.trajectory
    return of_model if spec.sampler == "nutpie" else "leapfrog"


def adaptation(of_model: str, spec: SamplerSpec) -> str:
    """What the mass matrix is made of: what the spec says, else what suits the model.

    ``diag`` takes the variances of draws and of gradients, ``draw_diag`` those of draws alone.
    Gradients know the width of a direction while all else stays, so that ``diag`` is quick where
    variables are nearly independent, and ``draw_diag`` where one of them moves many others, as the
    spread of a group does. PyMC's NUTS adapts in its own way, which is called ``diag``.
    """
    if spec.adaptation != "auto":
        return spec.adaptation
    return of_model if spec.sampler == "nutpie" else "diag"


def suited(model: Model, spec: SamplerSpec) -> SamplerSpec:
    """The spec with what it leaves to the model."""
    settled = {
        "trajectory": trajectory(model.trajectory, spec),
        "adaptation": adaptation(model.adaptation, spec),
    }
    return spec.model_copy(update=settled)


def ahead(model: Model, spec: SamplerSpec) -> "NutpieChains | None":
    """Chains that sample from now on, before there is anyone to follow them.

    None where that would be of no use: PyMC is asked for, or the model's code is not on disk. To
    compile takes ten seconds, in which a store that cannot be used would stay unnoticed.

    Raises
    ------
    SamplingError
        When the sampler cannot start.
    """
    if spec.sampler != "nutpie" or spec.adaptation == "flow" or model.start is None:
        return None
    from tallgrass.inference.nutpie_chains import begin_if_stored

    return begin_if_stored(model, suited(model, spec))


def harmless(observer: Observer) -> Observer:
    """The observer, whose first error is logged and whose errors never reach the sampler."""
    failed = False

    def report(progress: tuple[ChainProgress, ...]) -> None:
        nonlocal failed
        try:
            observer(progress)
        except Exception:
            if not failed:
                _log.warning("cannot report the progress of sampling", exc_info=True)
            failed = True

    return report


def _without_draws(
    variables: Mapping[str, tuple[tuple[str, ...], tuple[int, ...]]], chains: int
) -> xr.DataTree:
    """The trace of a sampler that has made no draw."""
    posterior = {
        name: (["chain", "draw", *dims], np.empty((chains, 0, *shape)))
        for name, (dims, shape) in variables.items()
    }
    return xr.DataTree.from_dict({"posterior": xr.Dataset(posterior), "sample_stats": xr.Dataset()})


def _with_nutpie(model: Model, spec: SamplerSpec, watch: Watch) -> Raw:
    # To import nutpie takes seconds, and runs with PyMC do not need it.
    from tallgrass.inference.nutpie_chains import begin

    return begin(model, suited(model, spec)).followed(watch)


SAMPLERS: dict[str, Callable[[Model, SamplerSpec, Watch], Raw]] = {
    "nutpie": _with_nutpie,
    "pymc": sample_with_pymc,
}
