"""One run on roll calls, as the way of a run takes it."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tallgrass.escaping import masked
from tallgrass.inference.draws import Sampled
from tallgrass.inference.samplers import ahead as begin_ahead
from tallgrass.inference.samplers import sample_and_assemble
from tallgrass.inference.second_start import refuse_second_start
from tallgrass.inference.thresholds import Thresholds
from tallgrass.machine import Finding, algebra_in_one_thread
from tallgrass.rollcalls.analyse import analyse
from tallgrass.rollcalls.analysis import RollCallAnalysis
from tallgrass.rollcalls.declaration import declaration
from tallgrass.rollcalls.prepare import FromFile, Posed, Prepared, pose, prepare
from tallgrass.rollcalls.reading import Read, read
from tallgrass.rollcalls.result import FitResult
from tallgrass.rollcalls.run_name import BETWEEN, run_name
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.stored_scales import linked_beside
from tallgrass.rollcalls.trace import assembler
from tallgrass.rollcalls.votes import VoteMatrix
from tallgrass.settings import Settings
from tallgrass.study.analysis import Declaration
from tallgrass.study.clock import Clock
from tallgrass.study.model_file import short
from tallgrass.study.study import Context, Sampling, Study
from tallgrass.study.way import carry_out
from tallgrass.tracking.autologging import paused
from tallgrass.tracking.progress import steps

if TYPE_CHECKING:
    from tallgrass.inference.nutpie_chains import NutpieChains


@dataclass(frozen=True, eq=False)
class RollCallStudy(Study[RollCallAnalysis]):
    """A prepared run on roll calls: flat, hierarchical or joint.

    Parameters
    ----------
    prepared : Prepared
        The votes, the model, and what the results are held against.
    begun : NutpieChains or None
        Its chains, where they sample already.
    """

    prepared: Prepared
    begun: "NutpieChains | None" = None

    @property
    def name(self) -> str:
        """Name of the MLflow run."""
        return run_name(self.prepared.spec, self.prepared.data.votes.session)

    @property
    def title(self) -> str:
        """Title of the process."""
        spec = self.prepared.spec
        dims = " 2d" if spec.dims == 2 else ""
        return f"{spec.chamber} {short(spec.model)}{dims} {spec.sampler}"

    @property
    def chains(self) -> int:
        """Chains that are sampled at a time."""
        return self.prepared.spec.chains

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found about the machine."""
        return self.prepared.findings

    def declaration(self) -> Declaration:
        """What is recorded before sampling."""
        return declaration(self.prepared)

    def attributes(self) -> Mapping[str, str]:
        """The spec, and the fingerprint of all that the model looks at."""
        return {
            "spec": self.prepared.spec.to_json(),
            "model": short(self.prepared.spec.model),
            "data_sha256": self.prepared.data.fingerprint,
        }

    def draw(self, sampling: Sampling) -> Sampled:
        """Draw from the posterior."""
        prepared = self.prepared
        model, scores = prepared.model, prepared.start.scores
        return sample_and_assemble(
            model,
            prepared.spec.sampler_spec,
            assembler(model, prepared.data.votes, scores, sampling.attributes),
            sampling.observer,
            sampling.sink,
            sampling.stopped,
            self.begun,
        )

    def made_ready(self) -> Callable[[], object] | None:
        """Import what the analysis and the report need."""
        return None if self.prepared.spec.sampler == "pymc" else _import_the_rest

    def analysed(
        self, sampled: Sampled | None, run_id: str, thresholds: Thresholds, clock: Clock
    ) -> RollCallAnalysis:
        """Convergence, agreement with the baseline, fit, and every table."""
        assert sampled is not None  # draw() returns draws or raises
        own = self.prepared.own_fits
        beside = None if own is None else linked_beside(own.run_ids)
        return analyse(self.prepared, sampled, run_id, thresholds, clock, beside)

    def judged_name(self, analysis: RollCallAnalysis) -> str:
        """The name with the verdict, and with what speaks against the fit."""
        # In a list of runs one reads the name alone, and a pass is not to be taken for right.
        questioned = analysis.fit_verdict.status == "questioned"
        return f"{self.name}{BETWEEN}{analysis.verdict.status}{', fit questioned' * questioned}"

    def told(self, analysis: RollCallAnalysis) -> tuple[str, ...]:
        """The first findings of the report."""
        # The report's libraries take a while to import, and the chains do not wait for them.
        from tallgrass.rollcalls.report import first_findings

        return first_findings(analysis)

    def figures(self, analysis: RollCallAnalysis) -> Mapping[str, Any]:
        """The figures by name."""
        from tallgrass.rollcalls.report import figures

        return figures(analysis)

    def page(self, analysis: RollCallAnalysis, pngs: Mapping[str, bytes]) -> str:
        """The report."""
        from tallgrass.rollcalls.report import build

        return build(analysis, pngs)


def _import_the_rest() -> None:
    """Import the libraries of the analysis and of the report, and compile its templates."""
    for name in ("scipy.special", "pyarrow.parquet", "tallgrass.rollcalls.report"):
        import_module(name)
    from tallgrass.report import html, images  # noqa: F401

    html.templates()


@dataclass
class _Early:
    """What is there before the store is connected."""

    posed: Posed | None = None
    chains: "NutpieChains | None" = None


def run_steps(
    spec: RunSpec,
    settings: Settings,
    began: float,
    context: Context,
    votes: Mapping[str, VoteMatrix] | None = None,
) -> FitResult:
    """Carry out one run; see :func:`tallgrass.rollcalls.fit.fit`. ``votes`` are by chamber."""
    refuse_second_start()
    clock = Clock(began, steps(settings.progress))
    clock.add("import_s", time.perf_counter() - began)
    # The votes come first: where they cannot be used, not even an empty database is made.
    with clock.timed("prepare_s"):
        data = read(spec, settings, votes)
    return carry_out_run(spec, data, settings, clock, context)


def carry_out_run(
    spec: RunSpec,
    data: Read,
    settings: Settings,
    clock: Clock,
    context: Context,
    file: FromFile | None = None,
) -> FitResult:
    """Carry out one run on votes that are read; ``file`` is a model of the user's."""
    # Everybody can read a run: it never sees the password of a database.
    spec = spec.model_copy(update={"session": masked(spec.session)})

    early = _Early()

    @contextmanager
    def ahead(state: Path) -> Iterator[None]:
        if spec.init.startswith("run:"):  # the start is in the store
            yield
            return
        with clock.timed("prepare_s"):
            early.posed = pose(spec, data, state, file=file)
        with paused():
            early.chains = begin_ahead(early.posed.model, spec.sampler_spec)
        try:
            yield
        finally:
            if early.chains is not None:
                early.chains.end()

    def prepared(others: tuple[Finding, ...], state: Path) -> RollCallStudy:
        with clock.timed("prepare_s"):
            ready = prepare(spec, data, others, state, file=file, posed=early.posed)
        return RollCallStudy(ready, early.chains)

    with algebra_in_one_thread():
        outcome = carry_out(prepared, settings, clock, context, ahead=ahead)
    analysis = outcome.analysis
    return FitResult(
        run_id=outcome.run_id,
        experiment_id=outcome.experiment_id,
        ui_url=outcome.ui_url,
        results_url=outcome.results_url,
        verdict=analysis.verdict,
        diagnostics=analysis.diagnostics,
        trace=analysis.trace,
        comparison=analysis.comparison,
        timings=outcome.timings,
        report_path=outcome.report_path,
        analysis=analysis,
    )
