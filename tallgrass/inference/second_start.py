"""A script that a process of a sampler runs once more, because it has no main guard.

Where processes are not forked (macOS, Windows, Python 3.14), each of them imports the script that
started the run. Without a main guard it would begin another run there, which waits for this one.
"""

import inspect
import os
from multiprocessing.context import BaseContext

from tallgrass.errors import SamplingError

GUARD = 'put the call under if __name__ == "__main__":'
_PROBE = "TALLGRASS_PROBE_OF_MAIN_GUARD"


def refuse_second_start() -> None:
    """Refuse to begin a run while a process that was just started imports the user's script.

    Raises
    ------
    SystemExit
        In the process by which :func:`require_main_guard` finds out.
    SamplingError
        In any other.
    """
    frame = inspect.currentframe()
    while frame is not None:
        # Python runs the script under this name in a process that it has just started.
        if frame.f_globals.get("__name__") == "__mp_main__" and frame.f_code.co_name == "<module>":
            if _PROBE in os.environ:
                raise SystemExit(1)
            raise SamplingError(
                "a process that was just started runs the script again", None, GUARD
            )
        frame = frame.f_back


def require_main_guard(context: BaseContext) -> None:
    """Refuse to start chains from a script that would begin its run again in each of them.

    A process without work is started first. One of a chain must not be: where it ends while it is
    handed the model, this process would wait for ever.

    Raises
    ------
    SamplingError
        When the script has no main guard.
    """
    if context.get_start_method() == "fork":
        return
    os.environ[_PROBE] = "1"
    try:
        probe = context.Process(target=int)  # type: ignore[attr-defined]
        probe.start()
        probe.join()
        works = probe.exitcode == 0
    except (EOFError, OSError):  # the server that forks processes imports the script itself
        works = False
    finally:
        del os.environ[_PROBE]
    if not works:
        raise SamplingError(
            "processes for the chains cannot be started from this script", None, GUARD
        )
