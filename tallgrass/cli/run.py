"""The commands ``run`` and ``rerun``."""

import re
import sys
from collections.abc import Sequence

from tallgrass.cli import results
from tallgrass.cli.calibrate import FAILED_STRICTLY, again
from tallgrass.cli.output import as_json, say, stdout_for_answer
from tallgrass.cli.parser import Arguments, Command, Option, parse, parser_of, switches_of
from tallgrass.cli.places import connected, place_of_project
from tallgrass.errors import SpecError, nearest
from tallgrass.fitting import require_same_file
from tallgrass.items.earlier import calibration_spec
from tallgrass.items.spec import CalibrationSpec
from tallgrass.rollcalls import earlier
from tallgrass.rollcalls.spec import RunSpec, changed_spec, load_run_spec
from tallgrass.settings import Settings, load_settings
from tallgrass.study.model_file import DIGEST_TAG, is_reference

RERUN_OPTIONS = (Option("changed", "repeat with a file of the model that was changed since"),)

# Libraries that others import where they are installed, only to ask whether data are of their
# kind: xarray imports Dask. A user's own model may use them.
_NEVER_USED = ("dask",)
_SHORT_ID = re.compile(r"[0-9a-f]{4,31}")


def run(arguments: Arguments) -> int:
    """Sample and record one run."""
    settings = load_settings(arguments.settings)
    spec = load_run_spec(_with_full_ids(arguments.run, settings))
    return _fitted(spec, settings, arguments)


def rerun(arguments: Arguments) -> int:
    """Repeat an earlier run; flags replace its parameters."""
    settings = connected(arguments)
    if (calibration := calibration_spec(arguments.operands[0])) is not None:
        _require_known(arguments.run, CalibrationSpec)
        return again(calibration, arguments, settings)
    _require_known(arguments.run, RunSpec)
    from tallgrass.tracking import reading

    tags = reading.details(arguments.operands[0])["tags"]
    if "model.kind" in tags and DIGEST_TAG not in tags:
        raise SpecError(
            "a run of a model of your own, which is not stored with it",
            arguments.operands[0],
            "run its script again",
        )
    if "responses.sha256" in tags:
        raise SpecError(
            "a calibration with a model of your own",
            arguments.operands[0],
            f"run it again: tallgrass calibrate --model {tags['model.file']}",
        )
    flags = _with_full_ids(arguments.run, settings)
    spec = changed_spec(earlier.rerun_spec(arguments.operands[0]), flags)
    if DIGEST_TAG in tags:
        accept = arguments.options.get("changed") == "true"
        require_same_file(spec.model, tags[DIGEST_TAG], accept)
    return _fitted(spec, settings, arguments)


def print_rerun_help(command: Command, words: Sequence[str]) -> None:
    """Print the help of ``rerun``; where a run is named, with what that run was made with."""
    parser = parser_of("rerun", command)
    known = [word for word in words if word not in ("-h", "--help")]
    arguments = parse(parser, known, switches_of(command))
    if arguments.operands:
        connected(arguments)
        spec = calibration_spec(arguments.operands[0]) or earlier.rerun_spec(arguments.operands[0])
        values = {name: _as_typed(value) for name, value in spec.model_dump().items()}
        parser = parser_of("rerun", command._replace(spec=type(spec), also=None), values)
    parser.print_help()


def _as_typed(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _require_known(flags: dict[str, str], spec: type[RunSpec] | type[CalibrationSpec]) -> None:
    for name in flags:
        if name not in spec.model_fields:
            kind = "a calibration" if spec is CalibrationSpec else "a run on roll calls"
            flag = "--" + name.replace("_", "-")
            raise SpecError(
                f"parameter that {kind} does not have", flag, nearest(name, list(spec.model_fields))
            )


def _fitted(spec: RunSpec, settings: Settings, arguments: Arguments) -> int:
    from tallgrass.cli.labels import context_of, store_model
    from tallgrass.machine import seconds_of_process
    from tallgrass.tracking import store
    from tallgrass.tracking.progress import steps

    json = arguments.json
    if "xarray" not in sys.modules and not is_reference(spec.model):
        for name in _NEVER_USED:
            sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # as Python documents it
    context = context_of(arguments)
    by_project = store.inside_project()
    with stdout_for_answer(json):
        steps(settings.progress)("load_s")
        from tallgrass.fitting import fit

        if not is_reference(spec.model):
            import tallgrass.rollcalls.fit  # noqa: F401 - whose seconds begin after its imports
        process_s = seconds_of_process()
        result = fit(spec, settings, context)
        store_model(arguments, result.run_id)
    from tallgrass.own.result import ModelResult

    if json:
        if isinstance(result, ModelResult):
            answer = results.model_summary(result)
        else:
            answer = results.summary(result)
        answer["timings"] = {"process_s": process_s, **answer["timings"]}
        print(as_json(answer))
    elif isinstance(result, ModelResult):
        results.print_model_result(result)
    else:
        results.print_result(result)
    if by_project and not json:
        say(*place_of_project(result.experiment_id))
    return FAILED_STRICTLY if spec.strict and result.verdict.status == "fail" else 0


def _with_full_ids(flags: dict[str, str], settings: Settings) -> dict[str, str]:
    """The flags, with beginnings of run ids completed."""
    full = dict(flags)
    for name, prefix in (("baseline", ""), ("init", "run:")):
        value = flags.get(name, "")
        if value.startswith(prefix) and _SHORT_ID.fullmatch(value.removeprefix(prefix)):
            from tallgrass.tracking import reading, store

            store.connect(settings.tracking_uri)
            full[name] = prefix + reading.find_run(value.removeprefix(prefix))
    return full
