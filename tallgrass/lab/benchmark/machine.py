"""The name and load of the processor, without which times have no meaning."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

import llvmlite.binding as llvm

# LLVM's names of the vector extensions that the kernel can use.
_EXTENSIONS = ("sse2", "avx", "avx2", "fma", "avx512f", "avx512dq", "neon", "sve", "sve2")


@dataclass(frozen=True)
class Processor:
    """The processor of the measurements."""

    model: str
    microarchitecture: str
    cores: int
    extensions: tuple[str, ...]
    load: float | None  # average of running and waiting processes over the last minute

    def __str__(self) -> str:
        features = " ".join(self.extensions) or "no known vector extension"
        return f"{self.model} ({self.microarchitecture}), {self.cores} cores, {features}"

    @property
    def busy(self) -> bool:
        """Whether other programs used the processor just before."""
        return self.load is not None and self.load > 0.5


def processor() -> Processor:
    """Name the processor of this machine, and read its load."""
    features = llvm.get_host_cpu_features()
    return Processor(
        model=_model(),
        microarchitecture=llvm.get_host_cpu_name(),
        cores=os.cpu_count() or 1,
        extensions=tuple(name for name in _EXTENSIONS if features.get(name)),
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    )


def _model() -> str:
    """The name of the processor; on Linux it is in a file."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
