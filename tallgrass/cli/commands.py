"""The commands on single runs. Each reads its arguments, calls a function, and prints the result.

MLflow and PyMC take seconds to import, so they are imported where they are used, and ``--help`` and
a wrong flag do not wait for them.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from tallgrass import escaping
from tallgrass.cli import results
from tallgrass.cli.external import against_scores
from tallgrass.cli.output import as_json, records, say, stdout_for_answer
from tallgrass.cli.parser import Arguments, Option
from tallgrass.cli.places import connected, no_store, readable
from tallgrass.cli.run_list import print_runs
from tallgrass.errors import SpecError
from tallgrass.rollcalls import earlier
from tallgrass.settings import load_settings

RUNS_OPTIONS = (
    *(
        Option(name, f"only runs with this {name}", "TEXT")
        for name in ("chamber", "model", "sampler", "init", "session", "verdict", "status")
    ),
    Option("limit", "the most runs to list (default: 20)", "N"),
    Option("filter", "an MLflow filter, such as 'metrics.rhat_max < 1.01'", "TEXT"),
)
SHOW_OPTIONS = (Option("sizes", "show how much each artifact takes"),)
COMPARE_OPTIONS = (
    Option("markdown", "print a markdown table"),
    Option("against", "compare one run with published scores in this CSV file", "FILE"),
    Option("score-column", "its column of scores (default: found by name)", "TEXT"),
    Option("name-column", "its column of names (default: found by name)", "TEXT"),
)
UI_OPTIONS = (Option("port", "port of the server (default: 5000)", "N"),)
_STOP_SECONDS = 10
_LAST_PORT = 65535

logger = logging.getLogger(__name__)


def moved(arguments: Arguments) -> int:
    """Record that the folder of the store, and its artifacts with it, are where they are now."""
    from tallgrass.tracking import folders

    connected(arguments)
    places = folders.record_place()
    if arguments.json:
        print(as_json({"moved": places}))
    else:
        say(*(f"{old} is now {new}" for old, new in places.items()))
        say("" if places else "every artifact is where it is recorded")
    return 0


def runs(arguments: Arguments) -> int:
    """List runs."""
    settings = load_settings(arguments.settings)
    if words := no_store(settings):
        if arguments.json:
            print(as_json({"runs": []}))
        else:
            say(f"no runs yet: {words[0]}", "start a run with tallgrass run", *words[1:])
        return 0
    settings = readable(arguments)
    filters: dict[str, Any] = dict(arguments.options)
    filters["limit"] = arguments.number("limit", default=20)
    listed = earlier.run_records(experiment=settings.experiment, **filters)
    if arguments.json:
        print(as_json({"runs": listed}))
    elif not listed and not arguments.options:
        say("no runs yet: start one with tallgrass run")
    elif not listed:
        say("no runs match", *earlier.why_none(filters))
    else:
        print_runs(listed)
    return 0


def compare(arguments: Arguments) -> int:
    """Compare runs with the thresholds and with each other."""
    from tallgrass.rollcalls import run_comparison
    from tallgrass.tracking import reading

    settings = readable(arguments)
    if "against" in arguments.options:
        return against_scores(arguments)
    comparison = run_comparison.comparison(arguments.operands, settings.thresholds)
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

    readable(arguments)
    details = reading.details(arguments.operands[0])
    if arguments.json:
        print(as_json(details))
        return 0
    results.print_details(details, sizes=arguments.options.get("sizes") == "true")
    return 0


def promote(arguments: Arguments) -> int:
    """Make a run a baseline."""
    from tallgrass import serving
    from tallgrass.tracking import reading

    connected(arguments)
    run_id = reading.find_run(arguments.operands[0])
    with stdout_for_answer(arguments.json):
        registered = serving.promote(run_id)
    verdict = reading.details(run_id)["tags"].get("verdict")
    if verdict != "pass":
        logger.warning("the verdict of this baseline is %s", verdict)
    if arguments.json:
        answer = {"run_id": run_id, "baseline": True, "verdict": verdict}
        print(as_json({**answer, "registered": registered}))
    else:
        say(f"{run_id} is now the baseline for runs on the same data")
        if registered:
            say(f"its model: {registered}")
    return 0


def ui(arguments: Arguments) -> int:
    """Serve the MLflow UI of the store until Ctrl-C, or print the address of its server."""
    from tallgrass.tracking import pages, reading, store

    settings = connected(arguments)
    port = arguments.number("port", default=pages.UI_PORT)
    if port > _LAST_PORT:
        raise SpecError("bad value for port", port, f"use a whole number from 1 to {_LAST_PORT}")
    experiment = reading.home(settings.experiment)
    address = pages.results_page(experiment, port=port)
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


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise SpecError("port in use", port, f"use another: --port {port + 1}") from None
