"""A run of a user's own model, or of draws made elsewhere, as the way of a run takes it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tallgrass.errors import DataError
from tallgrass.inference.diagnostics import diagnose
from tallgrass.inference.draws import Sampled
from tallgrass.inference.labels import metric_name
from tallgrass.inference.samplers import adaptation, sample_and_assemble, trajectory
from tallgrass.inference.spec import AUTO, SamplerSpec
from tallgrass.inference.thresholds import Thresholds
from tallgrass.inference.verdict import judge
from tallgrass.machine import Finding
from tallgrass.own.analysis import OwnAnalysis
from tallgrass.own.baseline import BaselineComparison, compare
from tallgrass.own.description import Description
from tallgrass.own.extras import Extra, Extras
from tallgrass.own.model import PymcModel, assemble
from tallgrass.own.plots import figures
from tallgrass.own.report import build
from tallgrass.study.analysis import DataSet, Declaration
from tallgrass.study.clock import Clock
from tallgrass.study.recorder import installed, versions_of_libraries
from tallgrass.study.study import Sampling, Study
from tallgrass.tracking.reading import load_trace

if TYPE_CHECKING:
    import xarray as xr

KIND_TAG, KIND = "model.kind", "own"  # a tag that runs of our own models do not have
DESCRIPTION, GRAPH = "model/variables.json", "model/graph.mmd"
NO_STATISTICS = "the draws came without the sampler's statistics: no divergences, no E-BFMI"


@dataclass(frozen=True, eq=False)
class OwnStudy(Study[OwnAnalysis]):
    """A user's own model, or draws of one.

    Parameters
    ----------
    label : str
        What the model is called; the name of the run.
    description : Description
        What it is made of.
    params, tags : mapping
        Recorded beside our own.
    model : PymcModel or None
        The model; None for draws that were made elsewhere.
    sampler : SamplerSpec or None
        How it is sampled.
    baseline : str or None
        Id of the run that it is held against.
    compared : str
        Variable whose |r| with the baseline the verdict judges; empty for none.
    extras : callable or None
        Computes the log-likelihood and predictive draws.
    found : tuple of Finding
        What was found about the machine.
    texts : mapping of str to str
        Other texts that are recorded, by artifact path.
    numbers : mapping of str to float
        Numbers of the sampler by metric name, where ``sampler`` is not known any more.
    """

    label: str
    description: Description
    params: Mapping[str, object] = field(default_factory=dict)
    tags: Mapping[str, object] = field(default_factory=dict)
    model: PymcModel | None = None
    sampler: SamplerSpec | None = None
    baseline: str | None = None
    compared: str = ""
    extras: Extras | None = None
    found: tuple[Finding, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the MLflow run."""
        return self.label

    @property
    def chains(self) -> int:
        """Chains that are sampled at a time."""
        return 1 if self.sampler is None else self.sampler.chains

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found about the machine."""
        return self.found

    def declaration(self) -> Declaration:
        """Params, tags, dataset, and what the model is made of."""
        description, data = self.description, None
        tags = {
            **self.tags,
            "model": self.label,
            KIND_TAG: KIND,
            "model.sha256": description.form_sha256,
        }
        if description.data_sha256:
            tags["data.sha256"] = description.data_sha256
            profile = {"num_elements": description.n_data}
            data = DataSet(f"{self.label} data", description.data_sha256, profile, "memory")
        if self.baseline is not None:
            tags["baseline.run_id"] = self.baseline
        texts = {
            DESCRIPTION: description.to_json(),
            "env/requirements.txt": installed(),
            **self.texts,
        }
        if description.graph:
            texts[GRAPH] = description.graph
        return Declaration(
            params={**self._params(), **self.params},
            tags=tags,
            metrics=self._numbers(),
            data=data,
            texts=texts,
        )

    def attributes(self) -> Mapping[str, str]:
        """What the trace says it is of, so that a dead run can be finished."""
        return {
            "kind": KIND,
            "label": self.label,
            "data_sha256": self.description.data_sha256,
            "compared": self.compared,
        }

    def draw(self, sampling: Sampling) -> Sampled:
        """Draw from the posterior."""
        if self.model is None or self.sampler is None:
            raise DataError("draws that were made elsewhere cannot be made again", self.label)
        model = self.model
        coords = model.graph.coords

        def of_model(raw: "xr.DataTree", settings: Mapping[str, Any]) -> "xr.DataTree":
            return assemble(raw, model, coords, {**settings, **sampling.attributes})

        return sample_and_assemble(
            model, self.sampler, of_model, sampling.observer, sampling.sink, sampling.stopped
        )

    def analysed(
        self, sampled: Sampled | None, run_id: str, thresholds: Thresholds, clock: Clock
    ) -> OwnAnalysis:
        """Convergence, the baseline, and what else was asked for."""
        assert sampled is not None  # there are draws, or draw() raised
        trace = sampled.trace
        with clock.timed("diagnostics_s"):
            diagnostics = diagnose(trace)
        comparison = None if self.baseline is None else self._compared(trace, self.baseline)
        abs_r = None
        if comparison is not None and self.compared:
            abs_r = comparison.abs_r(self.compared)
        extra = Extra()
        if self.extras is not None:
            with clock.timed("predictive_s"):
                extra = self.extras(trace)
        return OwnAnalysis(
            run_id=run_id,
            diagnostics=diagnostics,
            verdict=judge(
                diagnostics,
                thresholds,
                abs_r,
                None if abs_r is None else thresholds.abs_r_flat,
                "" if diagnostics.divergences or diagnostics.ebfmi else NO_STATISTICS,
            ),
            thresholds=thresholds,
            findings=self.found,
            timings=clock.total(),
            name=self.label,
            trace=trace,
            description=self.description,
            parameters={**self._sampling(), **self.params},
            comparison=comparison,
            extra=extra,
        )

    def figures(self, analysis: OwnAnalysis) -> Mapping[str, Any]:
        """The figures by name."""
        return figures(analysis)

    def page(self, analysis: OwnAnalysis, pngs: Mapping[str, bytes]) -> str:
        """The report."""
        return build(analysis, pngs)

    def _compared(self, trace: "xr.DataTree", baseline: str) -> BaselineComparison:
        return compare(trace, load_trace(baseline), baseline)

    def _sampling(self) -> dict[str, object]:
        if self.sampler is None:
            return {}
        unused = set() if self.sampler.draws == AUTO else {"draws_max"}
        return self.sampler.model_dump(exclude=unused)

    def _settled(self) -> dict[str, object]:
        """What ``auto`` was for the sampler."""
        if self.sampler is None:
            return {}
        return {
            "sampler.adaptation": adaptation(PymcModel.adaptation, self.sampler),
            "sampler.trajectory": trajectory(PymcModel.trajectory, self.sampler),
        }

    def _params(self) -> dict[str, object]:
        """Every free variable's distribution, every dimension's length, sampler and versions."""
        description = self.description
        sizes = {
            dim: n
            for variable in description.variables
            for dim, n in zip(variable.dims, variable.shape, strict=False)
        }
        return {
            "model": self.label,
            **self._sampling(),
            **self._settled(),
            "model.n_parameters": description.n_parameters,
            "model.n_variables": len(description.variables),
            "model.n_observations": description.n_data,
            **{f"prior.{metric_name(v.name)}": v.text for v in description.of("free")},
            **{f"likelihood.{metric_name(v.name)}": v.text for v in description.of("observed")},
            **{f"dims.{metric_name(dim)}": n for dim, n in sizes.items()},
            **{f"version.{name}": text for name, text in versions_of_libraries().items()},
        }

    def _numbers(self) -> dict[str, float]:
        """Numbers that runs are filtered by."""
        numeric = {
            f"sampler/{name}": float(value)
            for name, value in self._sampling().items()
            if isinstance(value, int | float)
        }
        return {
            **numeric,
            **self.numbers,
            "model/n_parameters": self.description.n_parameters,
            "data/n_observations": self.description.n_data,
        }


def description_of(text: str) -> Description:
    """The description that a run stored.

    Raises
    ------
    DataError
        When the text is no such description.
    """
    try:
        return Description.from_json(text)
    except (ValueError, TypeError, KeyError) as error:
        raise DataError("the run holds no description of its model", str(error)) from error


def json_safe(values: Mapping[str, object]) -> dict[str, object]:
    """Params as text, lists and mappings as JSON."""
    return {
        str(name): json.dumps(value, default=str)
        if isinstance(value, list | dict | tuple)
        else value
        for name, value in values.items()
    }
