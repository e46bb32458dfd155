"""The commands of ``tallgrass``: what each does and takes.

A command is a function of the parsed arguments that returns the exit status.
"""

from tallgrass.cli import (
    bench,
    calibrate,
    commands,
    completion,
    dims,
    doctor,
    example,
    experiment,
    labels,
    link,
    log,
    monitor,
    monthly,
    prune,
    recover,
    run,
    score,
    simulate,
    warm,
)
from tallgrass.cli.parser import Command, Parser, parser_of
from tallgrass.items.spec import CalibrationSpec

COMMANDS = {
    "run": Command(
        run.run,
        "Sample one chamber, or both, as an MLflow run.",
        takes_run=True,
        options=labels.OPTIONS,
    ),
    "runs": Command(commands.runs, "List runs, newest first.", options=commands.RUNS_OPTIONS),
    "compare": Command(
        commands.compare,
        "Compare runs side by side: values, thresholds, which pass; and with the first run.",
        "RUN...",
        options=commands.COMPARE_OPTIONS,
    ),
    "show": Command(
        commands.show, "Show all records of a run.", "RUN", options=commands.SHOW_OPTIONS
    ),
    "rerun": Command(
        run.rerun,
        "Repeat a run; any flag replaces its parameter.",
        "RUN",
        takes_run=True,
        options=(*labels.OPTIONS, *run.RERUN_OPTIONS),
        also=CalibrationSpec,
    ),
    "dims": Command(
        dims.dims,
        "Sample a chamber in one and in two dimensions, and say which the votes ask for.",
        takes_run=True,
    ),
    "calibrate": Command(
        calibrate.calibrate,
        "Calibrate test items from responses, as an MLflow run.",
        takes_run=True,
        options=calibrate.OPTIONS,
        spec=CalibrationSpec,
    ),
    "monthly": Command(
        monthly.monthly,
        "Calibrate an item bank for a month, publish what passes, and say what changed.",
        takes_run=True,
        options=monthly.OPTIONS,
        spec=CalibrationSpec,
    ),
    "score": Command(
        score.score,
        "Score new persons by the items of a calibration: abilities with standard errors.",
        "RUN",
        options=score.OPTIONS,
    ),
    "link": Command(
        link.link,
        "Link the scale of the second run to that of the first, over common bills or members.",
        "RUN...",
        options=link.OPTIONS,
    ),
    "log": Command(
        log.log,
        "Make a run of draws: a NetCDF file (ArviZ), or CmdStan's CSV files, one a chain.",
        "FILE...",
        options=log.OPTIONS,
    ),
    "promote": Command(commands.promote, "Make a run the baseline for later runs.", "RUN"),
    "experiment": Command(
        experiment.experiment,
        "Make the many runs of a project's experiment.toml and compare them.",
        "PROJECT",
        takes_run=True,
        options=experiment.OPTIONS,
    ),
    "moved": Command(commands.moved, "Record that the folder of the store was moved."),
    "monitor": Command(
        monitor.monitor,
        "Show the runs on this machine and their progress.",
        options=monitor.OPTIONS,
    ),
    "prune": Command(
        prune.prune,
        "Remove or thin the traces of runs that nothing stands on, after asking.",
        "[RUN]...",
        options=prune.OPTIONS,
    ),
    "recover": Command(
        recover.recover,
        "List, finish or discard runs that were killed or that MLflow could not take.",
        "[RUN]",
        options=recover.OPTIONS,
    ),
    "simulate": Command(
        simulate.simulate,
        "Write a simulated legislature as files, or check calibration on N of them.",
        "[FOLDER]",
        options=simulate.OPTIONS,
    ),
    "example": Command(
        example.example,
        "Write data to play with: a simulated legislature, or an item bank.",
        "[EXAMPLE]",
        options=example.OPTIONS,
    ),
    "doctor": Command(
        doctor.doctor,
        "Look at what a run needs: packages, compiler, store, disk, data, a short run.",
        options=doctor.OPTIONS,
    ),
    "bench": Command(
        bench.bench,
        "Measure effective samples per second, the kernel, item engines, or a run's steps.",
        "[WHAT]",
        options=bench.OPTIONS,
    ),
    "warm": Command(warm.warm, "Compile the common models before they are needed.", "[MODEL...]"),
    "completion": Command(
        completion.completion, "Print what makes a shell complete commands and flags.", "SHELL"
    ),
    "ui": Command(
        commands.ui, "Show the runs in a browser (MLflow UI).", options=commands.UI_OPTIONS
    ),
}


def parser_for(name: str) -> Parser:
    """The parser of the command of this name."""
    return parser_of(name, COMMANDS[name])
