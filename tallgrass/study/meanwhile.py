"""What a run needs after its chains, made ready while they run in threads without Python's lock."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_log = logging.getLogger(__name__)


@contextmanager
def meanwhile(make_ready: Callable[[], object] | None) -> Iterator[Callable[[], None]]:
    """A function that starts a thread, once, which calls another; its end is waited for.

    Parameters
    ----------
    make_ready : callable or None
        Imports, and whatever is read once. What it raises is raised again by the one who needs it
        and tries once more, and only logged here, for those who look for it.

    Yields
    ------
    callable
        To be called when the chains have begun: before, the thread would only delay them. Where it
        is not called, all is made ready when it is needed.
    """
    threads: list[threading.Thread] = []

    def work() -> None:
        assert make_ready is not None  # begin() saw to it
        try:
            make_ready()
        except Exception:
            _log.debug("not ready yet", exc_info=True)

    def begin() -> None:
        if make_ready is not None and not threads:
            threads.append(threading.Thread(target=work, name="tallgrass-meanwhile", daemon=True))
            threads[0].start()

    yield begin  # an interrupt passes by: nothing may come between it and the draws
    # Two threads that import the same modules could see them half made.
    for thread in threads:
        thread.join()
