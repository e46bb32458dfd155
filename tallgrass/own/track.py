"""``tg.track``: code that samples in its own way, as a run."""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tallgrass.errors import SpecError
from tallgrass.own.sample import exact
from tallgrass.settings import Settings, load_settings

if TYPE_CHECKING:
    import pandas as pd

    from tallgrass.own.description import Description
    from tallgrass.own.result import ModelResult
    from tallgrass.tracking.writing import ActiveRun


class TrackedRun:
    """One MLflow run that is open for the user's own code.

    Parameters
    ----------
    run : ActiveRun
        The run.
    name : str
        What it is called.
    settings : Settings
        Thresholds of the verdict.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> with tg.track("by hand") as run:
    ...     result = run.log_inference_data({"mu": rng.normal(size=(4, 500))})
    ...     run.log_metrics({"time/own_s": 1.5})
    """

    def __init__(self, run: "ActiveRun", name: str, settings: Settings) -> None:
        self._run, self._name, self._settings = run, name, settings
        self._began = time.perf_counter()
        self.result: ModelResult | None = None

    @property
    def run_id(self) -> str:
        """MLflow id of the run."""
        return self._run.run_id

    def log_params(self, params: Mapping[str, object]) -> None:
        """Record params; one that the run has already keeps its value."""
        from tallgrass.own.study import json_safe

        self._run.log_params(json_safe(params))

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Record numbers; those that are not finite are left out and named in a tag."""
        self._run.log_metrics(dict(metrics), step)

    def log_figure(self, figure: Any, name: str) -> None:
        """Store a Matplotlib figure as ``plots/<name>.png``."""
        from tallgrass.report.images import images

        self._run.log_bytes(images({name: figure})[name], f"plots/{name}.png")

    def log_table(self, table: "pd.DataFrame", name: str) -> None:
        """Store a table as ``tables/<name>.csv`` and ``.json``."""
        self._run.log_table(table, f"tables/{name}")

    def log_inference_data(
        self,
        draws: Any,
        model: Any = None,
        *,
        baseline: str | None = "auto",
        compare: str = "",
    ) -> "ModelResult":
        """Store draws with their diagnostics, verdict and report.

        Parameters
        ----------
        draws : object
            See :func:`tallgrass.own.inference_data.as_trace`.
        model : pymc.Model, optional
            The model that they are of: its variables and priors are recorded as well.
        baseline : str or None
            Id of a run to compare with; ``auto``: the newest promoted run of the same name and
            data.
        compare : str
            Variable whose |r| with the baseline is a row of the verdict.

        Raises
        ------
        TallgrassError
            When the draws cannot be used, or the run has draws already.
        """
        from tallgrass.own.description import describe, describe_draws, model_of
        from tallgrass.own.inference_data import as_trace

        if self.result is not None:
            raise SpecError(
                "the run has draws already", self.run_id, "open another run for other draws"
            )
        graph = None if model is None else model_of(model)
        trace = as_trace(draws, None if graph is None else graph.coords)
        description = describe_draws(trace) if graph is None else describe(graph)
        check_compared(compare, trace)
        elapsed = time.perf_counter() - self._began
        self.result = conclude_draws(
            self._run, self._name, trace, description, self._settings, elapsed, baseline, compare
        )
        return self.result


def conclude_draws(
    run: "ActiveRun",
    name: str,
    trace: Any,
    description: "Description",
    settings: Settings,
    elapsed_s: float,
    baseline: str | None = "auto",
    compare: str = "",
) -> "ModelResult":
    """Store a trace in a run that is open, with its diagnostics, verdict and report.

    Parameters
    ----------
    name : str
        What the model is called.
    trace : DataTree
        From :func:`tallgrass.own.inference_data.as_trace`.
    description : Description
        What the model is made of.
    elapsed_s : float
        Seconds since the run began.
    baseline, compare
        As for :meth:`TrackedRun.log_inference_data`.
    """
    from tallgrass.own.earlier import baseline_of
    from tallgrass.own.result import ModelResult
    from tallgrass.own.study import OwnStudy
    from tallgrass.study.recorder import Recorder
    from tallgrass.study.way import resume
    from tallgrass.tracking import pages

    sizes = trace["posterior"].sizes
    params = {
        "sampler": trace.attrs.get("sampler", "not known"),
        "chains": sizes["chain"],
        "draws": sizes["draw"],
    }
    study = OwnStudy(name, description, params, compared=compare)
    study = replace(study, baseline=baseline_of(study, baseline))
    trace.attrs |= {"run_id": run.run_id, **study.attributes()}
    Recorder(run).declare(study.declaration())
    outcome = resume(study, trace, run, settings, elapsed_s)
    return ModelResult(
        run_id=outcome.run_id,
        experiment_id=outcome.experiment_id,
        ui_url=outcome.ui_url,
        results_url=pages.results_page(outcome.experiment_id),
        timings={k: v for k, v in outcome.timings.items() if math.isfinite(v)},
        report_path=outcome.report_path,
        analysis=outcome.analysis,
    )


def check_compared(compare: str, trace: Any) -> None:
    """Refuse a variable to compare that the draws do not have.

    Raises
    ------
    SpecError
        When there is none of that name.
    """
    names = [str(name) for name in trace["posterior"].data_vars]
    if compare and compare not in names:
        mend = f"use one of {', '.join(names[:10])}"
        raise SpecError("compare names no variable of the draws", compare, mend)


@contextmanager
def track(
    name: str,
    *,
    params: Mapping[str, object] | None = None,
    tags: Mapping[str, object] | None = None,
    note: str = "",
    settings: Settings | None = None,
) -> Iterator[TrackedRun]:
    """Open an MLflow run for code that samples in its own way.

    The run is FINISHED at the end of the block, FAILED after an exception, KILLED after Ctrl-C.
    Inside ``mlflow.start_run()`` it becomes a child run.

    Parameters
    ----------
    name : str
        Name of the run.
    params, tags : mapping, optional
        Recorded from its start.
    note : str
        A description, shown on the run's page.
    settings : Settings, optional
        Store and thresholds; from the environment and ``.env`` without it.

    Raises
    ------
    TallgrassError
        When the store cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> draws = np.random.default_rng(1).normal(size=(4, 1000))  # of any sampler: (chain, draw)
    >>> with tg.track("stan model", params={"model.form": "centred"}) as run:
    ...     result = run.log_inference_data({"mu": draws})
    >>> result.verdict.status
    'pass'
    """
    from tallgrass.own.study import KIND, KIND_TAG, json_safe
    from tallgrass.tracking import autologging, lifecycle, store, writing

    settings = exact(settings or load_settings())
    if not name.strip():
        raise SpecError("a run without a name", name, "name it after its model")
    store.connect(settings.tracking_uri)
    outer = writing.outer_run()
    experiment = settings.experiment if outer is None else outer.experiment
    state = lifecycle.state_dir_if_any(settings.state_dir)
    identity = {KIND_TAG: KIND, "model": name}
    if outer is not None:
        identity[writing.PARENT_TAG] = outer.run_id
    if note:
        identity["mlflow.note.content"] = note
    given = {key: str(value) for key, value in json_safe(tags or {}).items()}
    with writing.start_run(experiment, name, {**given, **identity}, state=state) as run:
        tracked = TrackedRun(run, name, settings)
        tracked.log_params(params or {})
        with autologging.paused():  # the code inside gives its draws itself
            yield tracked
