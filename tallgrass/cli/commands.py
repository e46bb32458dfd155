"""The commands on single runs. Each reads its arguments, calls a function, and prints the result.

MLflow and PyMC take seconds to import, so they are imported where they are used, and ``--help`` and
a wrong flag do not wait for them.
"""

import logging
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from tallgrass import escaping
from tallgrass.cli import results
from tallgrass.cli.calibrate import again
from tallgrass.cli.output import as_json, records, say, stdout_for_answer
from tallgrass.cli.parser import Arguments, Option
from tallgrass.errors import SpecError
from tallgrass.items.earlier import calibration_spec
from tallgrass.rollcalls import earlier
from tallgrass.rollcalls.spec import RunSpec, changed_spec, load_run_spec
from tallgrass.settings import Settings, load_settings

RUNS_OPTIONS = (
    *(
        Option(name, f"only runs with this {name}", "TEXT")
        for name in ("chamber", "model", "sampler", "init", "session", "verdict", "status")
    ),
    Option("limit", "the most runs to list (default: 20)", "N"),
    Option("filter", "an MLflow filter, such as 'metrics.rhat_max < 1.01'", "TEXT"),
)
SHOW_OPTIONS = (Option("sizes", "show how much each artifact takes"),)
COMPARE_OPTIONS = (Option("markdown", "print a markdown table"),)
UI_OPTIONS = (Option("port", "port of the server (default: 5000)", "N"),)
FAILED_STRICTLY = 3
_STOP_SECONDS = 10
_LAST_PORT = 65535
_SHORT_ID = re.compile(r"[0-9a-f]{4,31}")

logger = logging.getLogger(__name__)


def run(arguments: Arguments) -> int:
    """Sample and record one run."""
    settings = load_settings(arguments.settings)
    spec = load_run_spec(_with_full_ids(arguments.run, settings))
    return _fitted(spec, settings, arguments)


def rerun(arguments: Arguments) -> int:
    """Repeat an earlier run; flags replace its parameters."""
    settings = _connected(arguments)
    if (calibration := calibration_spec(arguments.operands[0])) is not None:
        return again(calibration, arguments, settings)
    from tallgrass.tracking import reading

    if "model.kind" in reading.details(arguments.operands[0])["tags"]:
        raise SpecError(
            "a run of a model of your own, which is not stored with it",
            arguments.operands[0],
            "run its script again",
        )
    flags = _with_full_ids(arguments.run, settings)
    spec = changed_spec(earlier.rerun_spec(arguments.operands[0]), flags)
    return _fitted(spec, settings, arguments)


def moved(arguments: Arguments) -> int:
    """Record that the folder of the store, and its artifacts with it, are where they are now."""
    from tallgrass.tracking import folders

    _connected(arguments)
    places = folders.record_place()
    if arguments.json:
        print(as_json({"moved": places}))
    else:
        say(*(f"{old} is now {new}" for old, new in places.items()))
        say("" if places else "every artifact is where it is recorded")
    return 0


def runs(arguments: Arguments) -> int:
    """List runs."""
    settings = _readable(arguments)
    filters: dict[str, Any] = dict(arguments.options)
    filters["limit"] = arguments.number("limit", default=20)
    listed = earlier.run_records(experiment=settings.experiment, **filters)
    if arguments.json:
        print(as_json({"runs": listed}))
    elif not listed:
        say("no runs yet: start one with tallgrass run" if not arguments.options else "no runs")
    else:
        results.print_runs(listed)
    return 0


def compare(arguments: Arguments) -> int:
    """Compare runs with the thresholds and with each other."""
    from tallgrass.rollcalls import run_comparison
    from tallgrass.tracking import reading

    settings = _readable(arguments)
    comparison = run_comparison.compare(arguments.operands, settings.thresholds)
    warnings = run_comparison.warnings(comparison)
    if arguments.json:
        print(as_json({"comparison": records(comparison), "warnings": warnings}))
    elif "markdown" in arguments.options:
        print(reading.markdown(comparison), end="")
        say(*(line for words in warnings for line in ("", escaping.markdown(words))))
    else:
        results.print_comparison(comparison)
        say(*(line for words in warnings for line in ("", *wrap(words, 80))))
    return 0


def show(arguments: Arguments) -> int:
    """Show one run."""
    from tallgrass.tracking import reading

    _readable(arguments)
    details = reading.details(arguments.operands[0])
    if arguments.json:
        print(as_json(details))
        return 0
    results.print_details(details, sizes=arguments.options.get("sizes") == "true")
    return 0


def promote(arguments: Arguments) -> int:
    """Make a run a baseline."""
    from tallgrass.tracking import reading

    _connected(arguments)
    run_id = reading.find_run(arguments.operands[0])
    reading.promote(run_id)
    verdict = reading.details(run_id)["tags"].get("verdict")
    if verdict != "pass":
        logger.warning("the verdict of this baseline is %s", verdict)
    if arguments.json:
        print(as_json({"run_id": run_id, "baseline": True, "verdict": verdict}))
    else:
        say(f"{run_id} is now the baseline for runs on the same data")
    return 0


def ui(arguments: Arguments) -> int:
    """Serve the MLflow UI of the store until Ctrl-C, or print the address of its server."""
    from tallgrass.tracking import reading, store

    settings = _connected(arguments)
    port = arguments.number("port", default=store.UI_PORT)
    if port > _LAST_PORT:
        raise SpecError("bad value for port", port, f"use a whole number from 1 to {_LAST_PORT}")
    experiment = reading.home(settings.experiment)
    address = store.results_page(experiment, port=port)
    server = store.server_command(port)
    if server is not None:
        _require_free(port)
    if arguments.json:
        print(as_json({"url": address}), flush=True)
    else:
        say(address, *(["Ctrl-C stops the server"] if server else []))
        sys.stdout.flush()
    if server is None:
        return 0
    return _serve(*server)


def _serve(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a server until it ends or Ctrl-C, then also end the processes that it started."""
    # Its output goes to standard error, because standard output is only for the answer.
    with subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=sys.stderr, process_group=0
    ) as server:
        try:
            return server.wait()
        except KeyboardInterrupt:  # Ctrl-C is the normal end
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
            return 0


def _fitted(spec: RunSpec, settings: Settings, arguments: Arguments) -> int:
    from tallgrass.cli.labels import context_of
    from tallgrass.machine import seconds_of_process

    process_s, json, context = seconds_of_process(), arguments.json, context_of(arguments)
    with stdout_for_answer(json):
        from tallgrass.rollcalls.fit import fit

        result = fit(spec, settings, context)
    if json:
        answer = results.summary(result)
        answer["timings"] = {"process_s": process_s, **answer["timings"]}
        print(as_json(answer))
    else:
        results.print_result(result)
    return FAILED_STRICTLY if spec.strict and result.verdict.status == "fail" else 0


def _connected(arguments: Arguments) -> Settings:
    """The settings, after a connection to their store."""
    from tallgrass.tracking import store

    settings = load_settings(arguments.settings)
    store.connect(settings.tracking_uri)
    return settings


def _readable(arguments: Arguments) -> Settings:
    """The settings, after a connection to their store for reading alone, which is quicker."""
    from tallgrass.tracking import store

    settings = load_settings(arguments.settings)
    store.connect_to_read(settings.tracking_uri)
    return settings


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


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise SpecError("port in use", port, f"use another: --port {port + 1}") from None
