"""Measure the kernel's time per vote against its arithmetic, and how time and memory grow."""

import multiprocessing
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba as nb
import numpy as np
import psutil
from numpy.typing import NDArray

from tallgrass.inference.kernel.dense import loglik_and_gradient

# Floating-point operations of the kernel per vote: 15 multiply-adds (logit 1, range reduction 2,
# polynomial 10, two gradients 2) and 11 single ones (products, sums, minima, one rounding). The
# division is counted separately; integer and selection instructions are not counted.
OPERATIONS = 26
SIZES = ((100, 100), (200, 500), (1000, 1000), (2500, 4000), (10_000, 10_000))
_ROW = 512  # doubles that stay in the first-level cache
_LEAST_CELLS = 3_000_000  # cells to time at least, for every size
_PASSES = 100  # over the row, so that a call takes long compared with the clock's resolution


@dataclass(frozen=True)
class KernelSpeed:
    """Processor time in nanoseconds per vote (cell of the matrix), the fastest of all repeats.

    Parameters
    ----------
    n_legislators, n_rollcalls : int
        Shape of the matrix.
    kernel_ns : float
        Log-likelihood and its three gradients.
    multiply_adds_ns, limit_ns : float
        A plain loop over doubles in the first-level cache with only OPERATIONS multiply-adds per
        double, and the same with one division per double. The second is the limit: the arithmetic
        that the kernel needs, as fast as LLVM can make it on this machine.
    """

    n_legislators: int
    n_rollcalls: int
    kernel_ns: float
    multiply_adds_ns: float
    limit_ns: float

    @property
    def share_of_limit(self) -> float:
        """The limit divided by the kernel's time; 1 is best."""
        return self.limit_ns / self.kernel_ns


@dataclass(frozen=True)
class Growth:
    """One evaluation of a simulated matrix in its own process.

    Parameters
    ----------
    seconds : float
        Processor time of the fastest repeat.
    base_bytes, peak_bytes : int
        Resident memory before the matrix was made, and at its peak.
    """

    n_legislators: int
    n_rollcalls: int
    seconds: float
    base_bytes: int
    peak_bytes: int

    @property
    def votes(self) -> int:
        """Cells of the matrix."""
        return self.n_legislators * self.n_rollcalls

    @property
    def ns_a_vote(self) -> float:
        """Nanoseconds per cell."""
        return 1e9 * self.seconds / self.votes

    @property
    def bytes_a_vote(self) -> float:
        """Memory above the base, per cell."""
        return (self.peak_bytes - self.base_bytes) / self.votes


def kernel_speed(cells: NDArray[np.int8], repeats: int = 50) -> KernelSpeed:
    """Time the kernel on a votes matrix, and the plain loops, in turn."""
    arguments = _arguments(cells)
    row = np.linspace(0.0, 1.0, _ROW)
    out = np.empty_like(row)
    loops = [plain_loop(OPERATIONS, divide) for divide in (False, True)]
    calls: list[Callable[[], Any]] = [
        lambda: loglik_and_gradient(cells, *arguments),
        *(lambda loop=loop: loop(row, out, _PASSES) for loop in loops),
    ]
    kernel, multiply_adds, limit = _fastest(calls, repeats)
    n_legislators, n_rollcalls = cells.shape
    return KernelSpeed(
        n_legislators,
        n_rollcalls,
        kernel_ns=1e9 * kernel / cells.size,
        multiply_adds_ns=1e9 * multiply_adds / (_PASSES * _ROW),
        limit_ns=1e9 * limit / (_PASSES * _ROW),
    )


def plain_loop(operations: int, divide: bool) -> Any:
    """A compiled loop over doubles with this many multiply-adds on each, and maybe a division."""
    step = "            p = p * y + 0.25\n"
    source = f"""
def loop(x, out, passes):
    for _ in range(passes):
        for j in range(len(x)):
            y = x[j]
            p = 0.5
{step * operations}            out[j] = {"1.0 / p" if divide else "p"}
"""
    # Unrolled, because LLVM vectorises over j only without an inner loop.
    scope: dict[str, Any] = {}
    exec(source, scope)
    fastmath = {"reassoc", "contract", "nsz", "arcp"}  # the kernel's own
    return nb.njit(fastmath=fastmath, error_model="numpy")(scope["loop"])


def growth(sizes: Sequence[tuple[int, int]] = SIZES, repeats: int = 3) -> list[Growth]:
    """Evaluate matrices of growing size, each in a new process without other memory."""
    context = multiprocessing.get_context("spawn")
    measurements = []
    for shape in sizes:
        with context.Pool(1) as pool:
            measurements.append(pool.apply(one_size, (*shape, repeats)))
    return measurements


def one_size(n_legislators: int, n_rollcalls: int, repeats: int) -> Growth:
    """Simulate votes and evaluate them, in this process."""
    tiny = np.ones((1, 1), np.int8)
    loglik_and_gradient(tiny, *_arguments(tiny))  # compile or load before memory is measured
    base = _resident()
    cells = np.random.default_rng(0).integers(-1, 2, (n_legislators, n_rollcalls), dtype=np.int8)
    arguments = _arguments(cells)
    repeats = max(repeats, _LEAST_CELLS // cells.size)  # short runs are less precise
    (seconds,) = _fastest([lambda: loglik_and_gradient(cells, *arguments)], repeats)
    peak = max(_resident(), _high_water())
    return Growth(n_legislators, n_rollcalls, seconds, base, peak)


def _arguments(cells: NDArray[np.int8]) -> tuple[NDArray[np.float64], ...]:
    """Random positions, intercepts and slopes, and room for the gradients."""
    rng = np.random.default_rng(1)
    n_legislators, n_rollcalls = cells.shape
    lengths = (n_legislators, n_rollcalls, n_rollcalls)
    values = [np.asarray(rng.normal(size=n)) for n in lengths]
    return (*values, *(np.empty(n) for n in lengths))


def _fastest(calls: Sequence[Callable[[], Any]], repeats: int) -> list[float]:
    """Processor seconds of the fastest run of each call, in turn, without the first run.

    Processor time, because time on the clock includes waiting for other programs.
    """
    times = [[np.inf] for _ in calls]
    for turn in range(repeats + 1):
        for call, seconds in zip(calls, times, strict=True):
            began = time.thread_time()
            call()
            if turn:
                seconds.append(time.thread_time() - began)
    return [min(seconds) for seconds in times]


def _resident() -> int:
    return int(psutil.Process().memory_info().rss)


def _high_water() -> int:
    """Peak memory of this process, in bytes; 0 if the system does not report it.

    Only Linux reports it. Elsewhere current memory serves, because the kernel's arrays still exist
    when it is read. (getrusage would include memory of the parent process.)
    """
    status = Path("/proc/self/status")
    if sys.platform != "linux" or not status.exists():
        return 0
    for line in status.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
