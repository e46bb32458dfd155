"""What a run needs after its chains, made ready while they run in threads without Python's lock."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_log = logging.getLogger(__name__)


@contextmanager
def meanwhile(make_ready: Callable[[], object] | None) -> Iterator[None]:
    """Call a function in a thread while the context is open, and wait for its end.

    Parameters
    ----------
    make_ready : callable or None
        Imports, and whatever is read once. What it raises is raised again by the one who needs it
        and tries once more, and only logged here, for those who look for it.
    """
    if make_ready is None:
        yield
        return

    def work() -> None:
        try:
            make_ready()
        except Exception:
            _log.debug("not ready yet", exc_info=True)

    thread = threading.Thread(target=work, name="tallgrass-meanwhile", daemon=True)
    thread.start()
    yield  # an interrupt passes by: nothing may come between it and the draws
    # Two threads that import the same modules could see them half made.
    thread.join()
