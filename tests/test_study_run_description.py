"""What MLflow's page of a run says first."""

import pytest

from tallgrass.inference.verdict import Verdict
from tallgrass.study.run_description import description

PASS = Verdict("pass", ())


@pytest.mark.parametrize(
    ("verdict", "fit", "words"),
    [
        (PASS, "questioned", "**Verdict: pass, fit: questioned**"),
        (PASS, "", "**Verdict: pass**"),
        (None, "fits", "**Verdict: not judged, fit: fits**"),
    ],
    ids=["in doubt", "no fit", "not judged"],
)
def test_the_verdict_stands_with_the_fit_in_the_first_line(verdict, fit, words):
    first = description("0123456789ab", "1", verdict, ["A finding."], fit).splitlines()[0]
    assert first.startswith(words)
    assert "`tallgrass rerun 01234567`" in first
