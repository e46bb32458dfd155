"""``tg.sample``: a PyMC model of the user becomes a run."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tallgrass.errors import SpecError
from tallgrass.inference.spec import Adaptation, SamplerSpec
from tallgrass.settings import Settings, load_settings

if TYPE_CHECKING:
    import pymc as pm

    from tallgrass.machine import Finding
    from tallgrass.own.result import ModelResult
    from tallgrass.own.study import OwnStudy
    from tallgrass.study.study import Context

Sampler = Literal["auto", "nutpie", "pymc"]


@dataclass(frozen=True)
class Labels:
    """How a run is called and what else is recorded with it."""

    name: str | None = None
    params: Mapping[str, object] | None = None
    tags: Mapping[str, object] | None = None
    note: str = ""


def sample(  # noqa: PLR0913 - all are settings, passed by name
    model: "pm.Model | Callable[[], pm.Model]",
    *,
    name: str | None = None,
    draws: int = 2000,
    tune: int = 1000,
    chains: int = 4,
    seed: int = 42,
    target_accept: float = 0.8,
    sampler: Sampler = "auto",
    adaptation: Adaptation = "auto",
    var_names: Sequence[str] | None = None,
    baseline: str | None = "auto",
    compare: str = "",
    log_likelihood: bool = False,
    prior_predictive: bool = False,
    posterior_predictive: bool = False,
    params: Mapping[str, object] | None = None,
    tags: Mapping[str, object] | None = None,
    note: str = "",
    settings: Settings | None = None,
) -> "ModelResult":
    """Sample a PyMC model and keep everything as one MLflow run.

    The run has what every run has: params (each variable's prior, dimensions, sampler, versions),
    the data with their digest, R-hat, ESS, divergences and E-BFMI as metrics, live ones while it
    samples, the trace, a verdict and a report. Draws are on disk while they are made: a killed run
    is finished by ``tallgrass recover``. Inside ``mlflow.start_run()`` it becomes a child run.

    Parameters
    ----------
    model : pymc.Model or callable
        The model, or a function without arguments that makes it.
    name : str, optional
        Name of the run and of the model; the model's own name, the function's, or "model".
    draws, tune, chains : int
        Kept and tuning draws a chain, and chains.
    seed : int
        Seed of the sampler.
    target_accept : float
        Target acceptance rate.
    sampler : str
        ``nutpie``, ``pymc`` (PyMC's steps), or ``auto``: nutpie unless a variable is discrete.
    adaptation : str
        nutpie's mass matrix: ``diag``, ``draw_diag``, ``low_rank``; ``auto`` is ``diag`` here.
    var_names : sequence of str, optional
        Variables to keep; all that are free or deterministic without it.
    baseline : str or None
        Id of a run to compare with; ``auto``: the newest promoted run of the same name and data.
    compare : str
        Variable whose absolute correlation with the baseline is a row of the verdict.
    log_likelihood : bool
        Keep the pointwise log-likelihood, and record leave-one-out ELPD.
    prior_predictive, posterior_predictive : bool
        Keep draws of the data from the prior and from the posterior.
    params, tags : mapping, optional
        More of the run's params and tags.
    note : str
        A description, shown on the run's page.
    settings : Settings, optional
        Store, thresholds and folders; from the environment and ``.env`` without it.

    Returns
    -------
    ModelResult
        A run whose chains did not converge is a result too: its verdict is ``fail``.

    Raises
    ------
    TallgrassError
        When the model, a parameter or the MLflow store cannot be used. Nothing is written then.
    Interrupted
        After Ctrl-C; the draws made until then are in the run, whose status is KILLED.

    Examples
    --------
    >>> import pymc as pm
    >>> with pm.Model() as model:
    ...     mu = pm.Normal("mu", 0, 5)
    ...     _ = pm.Normal("y", mu, 1, observed=[1.1, 0.7, 1.4])
    >>> tg.sample(model, name="three numbers").verdict.status
    'pass'
    """
    began = time.perf_counter()
    # PyMC, MLflow and Matplotlib together take seconds to import: that is part of the run's time.
    from tallgrass.own.description import describe, model_of
    from tallgrass.own.extras import extras_of
    from tallgrass.own.model import chosen_sampler, prepared_model
    from tallgrass.own.study import OwnStudy, json_safe
    from tallgrass.study.clock import Clock

    clock = Clock(began)
    clock.add("import_s", time.perf_counter() - began)
    with clock.timed("prepare_s"):
        graph = model_of(model)
        spec = SamplerSpec(
            sampler=chosen_sampler(sampler, graph),
            adaptation=adaptation,
            draws=draws,
            tune=tune,
            chains=chains,
            seed=seed,
            target_accept=target_accept,
        )
        description = describe(graph)
        prepared = prepared_model(graph, description, var_names)
        if compare and compare not in prepared.public:
            raise SpecError(
                "compare names no variable that is kept",
                compare,
                f"use one of {', '.join(prepared.public[:10])}",
            )
        study = OwnStudy(
            name or _name_of(model, graph),
            description,
            json_safe(params or {}),
            {**json_safe(tags or {}), **({"mlflow.note.content": note} if note else {})},
            prepared,
            spec,
            compared=compare,
            extras=extras_of(
                graph,
                seed,
                log_likelihood=log_likelihood,
                prior=prior_predictive,
                posterior=posterior_predictive,
            ),
        )
    return carry_out_study(study, exact(settings or load_settings()), clock, baseline)


def carry_out_study(
    study: "OwnStudy",
    settings: Settings,
    clock: Any,
    baseline: str | None,
    context: "Context | None" = None,
) -> "ModelResult":
    """One run of a prepared study; ``context`` says what it is part of."""
    from dataclasses import replace

    from tallgrass.machine import inspect_machine
    from tallgrass.own.earlier import baseline_of
    from tallgrass.own.result import ModelResult
    from tallgrass.study.study import Context
    from tallgrass.study.way import carry_out

    def prepare(others: "tuple[Finding, ...]", state: Path) -> "OwnStudy":
        found = others
        if study.sampler is not None and study.model is not None:
            sizes = [_size(shape) for _, shape in study.model.variables.values()]
            n_draws = study.sampler.most_draws + study.sampler.tune
            seen = inspect_machine(
                study.chains, sum(sizes), n_draws, Path.cwd(), study.sampler.sampler, state
            )
            for finding in seen:
                if finding.level == "fatal":
                    raise SpecError(finding.message)
            found = (*seen, *others)
        return replace(study, found=found, baseline=baseline_of(study, baseline))

    outcome = carry_out(prepare, settings, clock, context or Context(study.name))
    return ModelResult(
        run_id=outcome.run_id,
        experiment_id=outcome.experiment_id,
        ui_url=outcome.ui_url,
        results_url=outcome.results_url,
        timings=outcome.timings,
        report_path=outcome.report_path,
        analysis=outcome.analysis,
    )


def exact(settings: Settings) -> Settings:
    """Settings by which draws are kept to the last digit, unless the user chose otherwise.

    What draws of any model must satisfy is not known: shares sum to one, matrices are positive
    definite. Rounded draws would not.
    """
    if "trace_precision" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"trace_precision": "float64"})


def _name_of(model: Any, graph: Any) -> str:
    """The model's own name, else that of the function that made it."""
    return str(graph.name or getattr(model, "__name__", "") or "model").strip("<>")


def _size(shape: tuple[int, ...]) -> int:
    n = 1
    for length in shape:
        n *= length
    return n
