"""The same responses by several engines: one run each under a parent run that compares them."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from tallgrass.errors import SpecError, nearest
from tallgrass.items.report import MethodsInput, build_methods, methods_figures
from tallgrass.items.result import CalibrationResult
from tallgrass.items.spec import CalibrationSpec, Engine
from tallgrass.items.specs import changed_calibration
from tallgrass.items.used_parameters import used_parameters
from tallgrass.report.images import images
from tallgrass.settings import Settings, load_settings

if TYPE_CHECKING:
    from tallgrass.items.agreement import Agreement

ENGINES: tuple[str, ...] = get_args(Engine)


@dataclass(frozen=True, eq=False)
class ManyCalibrated:
    """What several engines gave on the same responses.

    Parameters
    ----------
    run_id, ui_url : str
        The parent run.
    results : dict of str to CalibrationResult
        By engine.
    agreement : Agreement
        Engines, files and other runs pair by pair.
    status : str
        ``fail`` when a verdict is, else ``unresolved`` when one is, else ``pass``.
    total_s : float
        Seconds in all.
    report_path : str
        Where the report of the comparison was stored.
    """

    run_id: str
    ui_url: str
    results: dict[str, CalibrationResult]
    agreement: "Agreement"
    status: str
    total_s: float
    report_path: str


def calibrate_all(
    spec: CalibrationSpec,
    engines: Sequence[str] = ENGINES,
    settings: Settings | None = None,
) -> ManyCalibrated:
    """Calibrate by several engines, each in a run of its own, and compare them in a parent run.

    Parameters
    ----------
    spec : CalibrationSpec
        Its engine plays no part; what it compares with is compared with every engine.
    engines : sequence of str
        At least two, each of which has the item model.

    Raises
    ------
    TallgrassError
        As :func:`tallgrass.calibrate`; also on fewer than two engines, an unknown one, or where
        the spec publishes (which engine's values is not said).

    Examples
    --------
    >>> spec = tg.CalibrationSpec()
    >>> results = tg.calibrate_all(spec, ["map", "mml"])
    >>> list(results.results)
    ['map', 'mml']
    """
    began = time.perf_counter()
    check_engines(engines)
    if spec.publish:
        raise SpecError(
            "several engines cannot publish", ",".join(engines), "publish with --engine alone"
        )
    if name := next((name for name in spec.comparisons if name in engines), None):
        raise SpecError("compare: the name is that of an engine", name, "use another name")
    specs = {
        engine: changed_calibration(spec, {"engine": engine, "compare": ""}) for engine in engines
    }
    from tallgrass.items.agreement import agreement
    from tallgrass.items.prepare import other_methods, prepare, read
    from tallgrass.items.steps import run_steps
    from tallgrass.study.study import Context
    from tallgrass.tracking import lifecycle, store, writing

    settings = settings or load_settings()
    data = read(spec, settings)
    prepare(spec, data)
    store.connect(settings.tracking_uri)
    others = other_methods(spec, data.responses.items)
    title = f"calibrate {', '.join(engines)}"
    state = lifecycle.state_dir(settings.state_dir)
    with writing.start_run(settings.experiment, title, state=state) as run:
        parameters = {
            name: store.masked(value) if isinstance(value, str) else value
            for name, value in spec.model_dump(mode="json").items()
        }
        parameters["engine"] = ",".join(engines)
        used = frozenset.union(*map(used_parameters, specs.values())) | {"agreement"}
        used |= {"compare"} if spec.compare else set()
        run.log_params(
            {
                **{name: value for name, value in parameters.items() if name in used},
                "model": "items",
                "session": store.masked(data.location),
            }
        )
        run.set_tags({"model": "items", "session": store.masked(data.location)})
        run.log_text(json.dumps(parameters, indent=2), "spec/comparison.json")
        results = {}
        child = Context(tags={writing.PARENT_TAG: run.run_id})
        for engine, own in specs.items():
            results[engine] = run_steps(own, settings, time.perf_counter(), data, child)
        methods = {**{engine: result.items for engine, result in results.items()}, **others}
        compared = agreement(methods, spec.agreement)
        statuses = {result.verdict.status for result in results.values()}
        status = next((s for s in ("fail", "unresolved") if s in statuses), "pass")
        run.log_table(compared.pairs, "tables/agreement")
        run.log_table(compared.summary, "tables/agreement_summary")
        run.log_table(compared.consensus, "tables/consensus")
        summary = MethodsInput(
            spec=spec,
            location=data.location,
            run_id=run.run_id,
            n_items=len(data.responses.items),
            agreement=compared,
            verdicts={engine: result.verdict for engine, result in results.items()},
            run_ids={engine: result.run_id for engine, result in results.items()},
            metrics={engine: result.metrics for engine, result in results.items()},
        )
        pngs = images(methods_figures(summary))
        for name, picture in pngs.items():
            run.log_bytes(picture, f"plots/{name}.png")
        run.log_text(build_methods(summary, pngs), "report/index.html")
        total_s = time.perf_counter() - began
        flagged = float(compared.pairs["flagged"].sum())
        run.log_metrics({"agreement/n_flagged": flagged, "total_s": total_s})
        run.set_tags({"verdict": status})
        return ManyCalibrated(
            run.run_id,
            run.ui_url,
            results,
            compared,
            status,
            total_s,
            run.artifact_location("report/index.html"),
        )


def check_engines(engines: Sequence[str]) -> None:
    """At least two engines, all known, none twice.

    Raises
    ------
    SpecError
        When they are not.
    """
    for engine in engines:
        if engine not in ENGINES:
            raise SpecError("engines: unknown engine", engine, nearest(engine, list(ENGINES)))
    if len(engines) < 2 or len(set(engines)) < len(engines):
        raise SpecError("engines: at least two different ones are needed", ",".join(engines))
