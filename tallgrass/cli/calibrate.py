"""The command ``calibrate``: item parameters from responses."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tallgrass.cli import labels
from tallgrass.cli.labels import context_of, store_model
from tallgrass.cli.output import as_json, in_browser, records, say, stdout_for_answer, table
from tallgrass.cli.parser import Arguments, Option
from tallgrass.cli.results import (
    model_summary,
    print_fit,
    print_model_result,
    print_verdict,
    verdict_record,
)
from tallgrass.errors import SpecError
from tallgrass.inference.thresholds import Thresholds
from tallgrass.items.spec import CalibrationSpec
from tallgrass.items.specs import changed_calibration, load_calibration_spec
from tallgrass.rounding import diagnostic
from tallgrass.settings import Settings, load_settings

if TYPE_CHECKING:
    from pandas import DataFrame

    from tallgrass.items.agreement import Agreement
    from tallgrass.items.by_engines import ManyCalibrated
    from tallgrass.items.result import CalibrationResult

OPTIONS = (
    Option("engines", "several engines with commas between, compared under one run", "LIST"),
    *labels.OPTIONS,
    Option("model", "a model of your own in place of the engines", "FILE.py:FUNCTION"),
)
FAILED_STRICTLY = 3
_SHOWN = 10
_HARDEST = 20


def calibrate(arguments: Arguments) -> int:
    """Calibrate the items of some responses and record it as one run."""
    settings = load_settings(arguments.settings)
    if model := arguments.options.get("model"):
        return _with_model(model, load_calibration_spec(arguments.run), settings, arguments)
    if engines := arguments.options.get("engines"):
        if given := [o.name for o in labels.OPTIONS if o.name in arguments.options]:
            raise SpecError(f"{given[0]} goes with one engine", engines, "leave it out")
        spec = load_calibration_spec(arguments.run)
        return _compared(spec, engines.split(","), settings, arguments.json)
    return _calibrated(load_calibration_spec(arguments.run), settings, arguments)


def again(spec: CalibrationSpec, arguments: Arguments, settings: Settings) -> int:
    """Repeat an earlier calibration; flags replace its parameters."""
    if "***" in spec.responses and "responses" not in arguments.run:
        # Runs do not store passwords.
        location = load_calibration_spec().responses
        if "://" not in location:
            raise SpecError(
                "the run does not store the password of its database",
                spec.responses,
                "give the whole address in TALLGRASS_RESPONSES",
            )
        spec = spec.model_copy(update={"responses": location})
    return _calibrated(changed_calibration(spec, arguments.run), settings, arguments)


def _with_model(model: str, spec: CalibrationSpec, settings: Settings, arguments: Arguments) -> int:
    json, context = arguments.json, context_of(arguments)
    with stdout_for_answer(json):
        from tallgrass.fitting import fit_items

        result = fit_items(model, spec, settings, context)
    if json:
        print(as_json(model_summary(result)))
    else:
        print_model_result(result)
    return FAILED_STRICTLY if spec.strict and result.verdict.status == "fail" else 0


def _calibrated(spec: CalibrationSpec, settings: Settings, arguments: Arguments) -> int:
    spec.comparisons  # noqa: B018 - raises if one is wrong
    json, context = arguments.json, context_of(arguments)
    with stdout_for_answer(json):
        from tallgrass.items.calibrate import calibrate as carry_out
        from tallgrass.items.publishing import refusal

        result = carry_out(spec, settings, context=context)
        store_model(arguments, result.run_id)
    if json:
        print(as_json(summary(result)))
    else:
        print_result(result, spec)
    not_published = spec.publish and bool(refusal(spec, result.analysis))
    if not_published or (spec.strict and result.verdict.status == "fail"):
        return FAILED_STRICTLY
    return 0


def _compared(spec: CalibrationSpec, engines: Sequence[str], settings: Settings, json: bool) -> int:
    with stdout_for_answer(json):
        from tallgrass.items.by_engines import calibrate_all, check_engines

        check_engines(engines)
        result = calibrate_all(spec, engines, settings)
    if json:
        by_engine = {engine: summary(calibration) for engine, calibration in result.results.items()}
        answer = {
            "run_id": result.run_id,
            "verdict": result.status,
            "engines": by_engine,
            "agreement": records(result.agreement.summary),
            "total_s": result.total_s,
            "report_path": result.report_path,
            "ui_url": result.ui_url,
        }
        print(as_json(answer))
    else:
        _print_compared(result)
    return FAILED_STRICTLY if spec.strict and result.status == "fail" else 0


def _print_compared(result: "ManyCalibrated") -> None:
    say("", f"Run {result.run_id}", f"Verdict: {result.status}", "")
    heads = ["engine", "verdict", "seconds", "R-hat", "ESS", "run"]
    rows = [
        [
            engine,
            calibrated.verdict.status,
            _number(calibrated.metrics.get("sampling_s"), ".1f"),
            *(
                diagnostic(calibrated.metrics.get(name, math.nan), *Thresholds().of(name))
                for name in ("rhat_max", "ess_min")
            ),
            calibrated.run_id,
        ]
        for engine, calibrated in result.results.items()
    ]
    table(heads, rows)
    say("")
    _print_agreement(result.agreement)
    say(f"Report:  {result.report_path}", f"MLflow:  {in_browser(result.ui_url)}")


def summary(result: "CalibrationResult") -> dict[str, Any]:
    """A finished calibration as plain values, for ``--json``."""
    agreement = result.agreement
    return {
        "run_id": result.run_id,
        "experiment_id": result.experiment_id,
        **verdict_record(result.verdict),
        "fit": result.analysis.fit_verdict.status,
        "metrics": result.metrics,
        "items": records(result.items),
        "drift": None if result.drift is None else records(result.drift),
        "purified": result.purified,
        "agreement": None if agreement is None else records(agreement.summary),
        "published": result.published,
        "timings": result.timings,
        "report_path": result.report_path,
        "ui_url": result.ui_url,
    }


def print_result(result: "CalibrationResult", spec: CalibrationSpec) -> None:
    """Print a finished calibration: verdict, drift, agreement of methods, and its addresses."""
    items = result.items
    say("", f"Run {result.run_id}")
    say(
        f"{len(items):,} items, {len(result.users):,} users, "
        f"{int(items['n'].sum()):,} responses, engine {spec.engine}"
    )
    _print_hardest(items)
    print_verdict(result.verdict)
    print_fit(result.analysis.fit_verdict)
    if items["one_sided"].any():
        names = items.loc[items["one_sided"], "item"]
        say(f"All right or all wrong, so only the prior counts: {', '.join(names[:_SHOWN])}", "")
    if result.drift is not None:
        _print_drift(result)
    if result.agreement is not None:
        _print_agreement(result.agreement)
    if (population := result.analysis.calibrated.population).free:
        say(
            f"Population on the anchors' scale: mean {population.mean:.3f} "
            f"({population.mean_low:.3f} to {population.mean_high:.3f}), SD {population.sd:.3f} "
            f"({population.sd_low:.3f} to {population.sd_high:.3f})",
            "",
        )
    if spec.publish:
        from tallgrass.items.publishing import refusal

        if reason := refusal(spec, result.analysis):
            say(f"Nothing was published: {reason}")
        elif spec.publish_dry_run:
            say(f"Nothing was written to {spec.publish_table} (--publish-dry-run)")
        else:
            say(f"Published {result.published:,} items to {spec.publish_table}")
    say(f"Report:  {result.report_path}", f"MLflow:  {in_browser(result.ui_url)}")


def _print_hardest(items: "DataFrame") -> None:
    """The items by difficulty, the hardest first; all of them are in the report."""
    if not {"a", "b", "b_low", "b_high", "share_correct"} <= set(items):
        return
    hardest = records(items.sort_values("b", ascending=False, kind="stable").head(_HARDEST))
    heads = ["item", "b", "95 % interval", "a", "responses", "share right"]
    rows = [
        [
            item["item"],
            _number(item["b"], ".2f"),
            f"{_number(item['b_low'], '.2f')} to {_number(item['b_high'], '.2f')}",
            _number(item["a"], ".2f"),
            f"{item['n']:,}",
            _number(item["share_correct"], ".2f"),
        ]
        for item in hardest
    ]
    say("", *([f"The {_HARDEST} hardest:"] if len(items) > _HARDEST else ["Hardest first:"]))
    table(heads, rows, ["share right", "responses", "a"])
    say("")


def _print_agreement(agreement: "Agreement") -> None:
    heads = ["method", "with", "items", "r(a)", "r(b)", "largest in a", "in b", "disagree"]
    rows = [
        [
            *(pair[name] for name in ("first", "second", "n")),
            *(_number(pair[name]) for name in ("r_a", "r_b", "a_largest", "b_largest")),
            pair["n_flagged"],
        ]
        for pair in records(agreement.summary)
    ]
    table(heads, rows)
    say("")


def _print_drift(result: "CalibrationResult") -> None:
    from tallgrass.items.drift import drift_in_words

    drift = result.drift
    assert drift is not None
    moved = drift[drift["drifted"] | drift["suspect"]]
    if moved.empty:
        say(f"None of {len(drift)} anchors drifted", "")
        return
    heads = ["anchor", "b before", "b", "by responses", "a before", "a", "by responses", "conflict"]
    rows = []
    for anchor in records(moved.head(_SHOWN)):
        numbers = [
            anchor[name] for name in ("b_before", "b", "b_alone", "a_before", "a", "a_alone")
        ]
        rows.append([anchor["item"], *map(_number, numbers), _number(anchor["conflict"], ".1f")])
    dropped = f", {len(result.purified)} dropped and fitted again" if result.purified else ""
    say(f"{drift_in_words(drift)}{dropped}:")
    table(heads, rows)
    say("")


def _number(value: float | None, form: str = ".3f") -> str:
    return "-" if value is None else format(value, form)
