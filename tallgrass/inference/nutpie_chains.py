"""Chains of nutpie: they sample in threads of their own from their beginning on."""

import time
import traceback
from contextlib import suppress
from typing import Any

import xarray as xr

from tallgrass.errors import SamplingError, first_line
from tallgrass.inference.arrow import take_draws
from tallgrass.inference.compiled import compile_model, compile_plain, stored_code
from tallgrass.inference.draws import Model, Raw, Watch, complete_part
from tallgrass.inference.follower import Follower, wait_for
from tallgrass.inference.nutpie_library import nutpie
from tallgrass.inference.progress import ChainProgress, Observer
from tallgrass.inference.sampler_threads import thread_ids, wait_for_end_of_others
from tallgrass.inference.spec import AUTO, SamplerSpec
from tallgrass.machine import usable_cores

_PROGRESS_MS = 250


def begin(model: Model, spec: SamplerSpec) -> "NutpieChains":
    """Compile a model and begin its chains.

    Parameters
    ----------
    spec : SamplerSpec
        With a trajectory and an adaptation: ``auto`` is settled by who calls.

    Raises
    ------
    SamplingError
        When the model cannot be compiled, or the sampler cannot start.
    """
    began = time.perf_counter()
    if model.start is None:
        code = compile_plain(model)
        compiled = _compiled_by_nutpie(model) if code is None else code.model
        from_cache = code is not None and code.from_cache
    elif spec.adaptation == "flow":
        from tallgrass.inference.flow import compile_flow

        compiled, from_cache = compile_flow(model), False
    else:
        code = compile_model(model)
        compiled, from_cache = code.model, code.from_cache
    return NutpieChains(compiled, spec, time.perf_counter() - began, from_cache)


def begin_if_stored(model: Model, spec: SamplerSpec) -> "NutpieChains | None":
    """Begin the chains of a model of ours whose code is on disk; None where it is not."""
    began = time.perf_counter()
    code = stored_code(model)
    if code is None:
        return None
    return NutpieChains(code.model, spec, time.perf_counter() - began, True)


class NutpieChains:
    """Chains that sample, from now on and until they are followed to their end, or ended.

    Parameters
    ----------
    compiled : object
        nutpie's model.
    spec : SamplerSpec
        Draws, tuning, chains, seed, target acceptance, trajectory and adaptation, not ``auto``.
    compile_s : float
        Seconds that the code took.
    from_cache : bool
        Whether it was on disk.

    Raises
    ------
    SamplingError
        When they cannot start.
    """

    def __init__(
        self, compiled: Any, spec: SamplerSpec, compile_s: float, from_cache: bool
    ) -> None:
        self._spec, self._coords = spec, compiled.coords
        self._compile_s, self._from_cache = compile_s, from_cache
        self._observer: Observer | None = None
        self._threads_before = thread_ids()
        self._began = time.perf_counter()
        self._running: Any
        try:
            self._running = nutpie.sample(
                compiled,
                draws=spec.most_draws,
                tune=spec.tune,
                chains=spec.chains,
                cores=min(spec.chains, usable_cores()),
                seed=spec.seed,
                adaptation=spec.adaptation,
                target_accept=spec.target_accept,
                # nutpie's documentation does not mention this setting.
                exact_normal_trajectory=spec.trajectory == "normal",
                progress_bar=False,
                progress_callback=self._report,
                progress_rate=_PROGRESS_MS,
                blocking=False,
                return_raw_trace=True,
            )
        except RuntimeError as error:
            raise SamplingError("nutpie could not start", first_line(error)) from error

    def _report(self, chains: list[Any]) -> None:
        if self._observer is not None:
            self._observer(
                tuple(
                    ChainProgress(
                        i, x.finished_draws, x.total_draws, x.tuning, x.divergences, x.step_size
                    )
                    for i, x in enumerate(chains)
                )
            )

    def followed(self, watch: Watch) -> Raw:
        """Follow the chains to their end, or until they are asked to stop.

        Raises
        ------
        SamplingError
            When the sampler stops by itself.
        """
        ahead_s = time.perf_counter() - self._began
        self._observer = watch.observer
        interrupted = False
        tree: xr.DataTree | None
        follower = None if watch.sink is None else Follower(self._running, watch.sink)
        try:
            made = wait_for(self._running, follower, watch.stopped, self._spec.draws == AUTO)
            if made is None:
                tree = self._partial(every=True)
            else:
                tree = take_draws(made, self._coords)
                if follower is not None:
                    follower.finish(tree, self._spec.tune)
        except KeyboardInterrupt:
            interrupted = True
            tree = self._partial()
        except BaseException as error:
            # The sampler ends its threads when nothing refers to it any more: these frames neither.
            reason = first_line(error)
            traceback.clear_frames(error.__traceback__)
            follower = None
            self.end()
            if not isinstance(error, RuntimeError):
                raise
            mend = "look at the start (init) and the priors, or try sampler=pymc"
            raise SamplingError("nutpie stopped", reason, mend) from error
        self._running = None
        seconds = time.perf_counter() - self._began
        return Raw(tree, self._compile_s, seconds, self._from_cache, interrupted, ahead_s)

    def end(self) -> None:
        """End the chains, whose draws nobody takes; nothing where they were followed."""
        if self._running is not None:
            with suppress(RuntimeError):
                self._running.cancel()
            self._running = None
            wait_for_end_of_others(self._threads_before)

    def _partial(self, every: bool = False) -> xr.DataTree | None:
        """The draws until the end that is asked for; None where no chain has finished tuning."""
        try:
            tree = take_draws(self._running.abort(), self._coords)
        except RuntimeError:
            return None
        return complete_part(tree, every)


def _compiled_by_nutpie(model: Model) -> Any:
    """Nutpie's own compilation, for a model that is not ours and has no form of loops."""
    try:
        return nutpie.compile_pymc_model(model.graph, var_names=list(model.public))
    except (ValueError, NotImplementedError) as error:
        raise SamplingError(
            "nutpie cannot compile the model", first_line(error), "try sampler=pymc"
        ) from error
