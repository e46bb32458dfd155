"""What a wing gives the way of a run: a study."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from tallgrass.inference.draws import DrawSink, Sampled, never
from tallgrass.inference.progress import Observer
from tallgrass.inference.thresholds import Thresholds
from tallgrass.machine import Finding
from tallgrass.study.analysis import Analysis, Declaration
from tallgrass.study.clock import Clock
from tallgrass.tracking.progress import Display

USUAL = Thresholds()


@dataclass(frozen=True, eq=False)
class Context:
    """What a run is part of: its name, tags from its start, and who watches it.

    Parameters
    ----------
    name : str or None
        Name of the MLflow run; made from the spec without it.
    tags : mapping of str to str
        Tags that the run has from its first moment.
    observer : callable or None
        Called with the progress of all chains, in place of a progress display.
    stopped : callable
        Asked a few times a second; once it is true, sampling ends as on Ctrl-C.
    last : bool
        Whether the process ends with the run: its memory is not tidied up before.

    Examples
    --------
    >>> import tallgrass as tg
    >>> tg.Context(name="second try", tags={"team": "a"}).tags["team"]
    'a'
    """

    name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    observer: Display | None = None
    stopped: Callable[[], bool] = never
    last: bool = False


@dataclass(frozen=True, eq=False)
class Sampling:
    """What a study needs while it samples.

    Parameters
    ----------
    attributes : mapping of str to str
        Attributes of the trace's root.
    observer : callable or None
        Called with the progress of all chains.
    sink : DrawSink or None
        Takes the draws while they are made.
    stopped : callable
        Asked a few times a second whether to stop.
    thresholds : Thresholds
        What the verdict will be judged by: a sampler may go on until it passes.
    """

    attributes: Mapping[str, str] = field(default_factory=dict)
    observer: Observer | None = None
    sink: DrawSink | None = None
    stopped: Callable[[], bool] = never
    thresholds: Thresholds = USUAL


class Study[A: Analysis](ABC):
    """One question to one data set: how it is recorded, sampled, analysed and reported."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of its MLflow run."""

    @property
    def title(self) -> str:
        """Title of its process; its name without more."""
        return self.name

    @property
    def chains(self) -> int:
        """Chains that are sampled at a time; 1 for what is computed without sampling."""
        return 1

    @property
    def repeatable(self) -> bool:
        """Whether it is computed in moments, so that a lost run is computed again."""
        return False

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found about the machine."""
        return ()

    @abstractmethod
    def declaration(self) -> Declaration:
        """What is recorded before sampling."""

    def attributes(self) -> Mapping[str, str]:
        """What the trace says about itself, beside the id of its run."""
        return {}

    @abstractmethod
    def draw(self, sampling: Sampling) -> Sampled | None:
        """Draw from the posterior, or estimate; None where there is nothing to keep as a trace.

        Raises
        ------
        Interrupted
            On Ctrl-C; it carries the draws made until then.
        """

    def made_ready(self) -> Callable[[], object] | None:
        """What makes ready, in a thread and while the chains run, what is needed after them.

        None where chains are forked processes, which must not be born in the middle of an import.
        """
        return None

    def refined(self, sampled: Sampled | None) -> Self | None:
        """The study to sample again in place of this one; None where the draws are final."""
        return None

    @abstractmethod
    def analysed(
        self, sampled: Sampled | None, run_id: str, thresholds: Thresholds, clock: Clock
    ) -> A:
        """What the draws say."""

    def judged_name(self, analysis: A) -> str:
        """Name of its MLflow run once it is judged; the same as before without more."""
        return self.name

    def told(self, analysis: A) -> tuple[str, ...]:
        """A few sentences of what came out, for the description of its MLflow run."""
        return ()

    @abstractmethod
    def figures(self, analysis: A) -> Mapping[str, Any]:
        """Matplotlib figures by name."""

    @abstractmethod
    def page(self, analysis: A, pngs: Mapping[str, bytes]) -> str:
        """The report as one HTML page, from the analysis and its figures as PNG files."""

    def published(self, analysis: A, clock: Clock) -> Declaration | None:
        """Publish what is to leave the run at its end, and say what was; None where nothing is."""
        return None
