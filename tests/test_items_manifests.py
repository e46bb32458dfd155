"""The manifest of the monthly job, against the schemas of Kubernetes itself."""

from pathlib import Path

import kubernetes_validate
import pytest
import yaml

MANIFEST = Path(__file__).parent.parent / "projects" / "calibration" / "cronjob.yaml"
# Schemas before 1.29 say that every rule of a failure policy needs pod conditions.
OLDEST, NEWEST = "1.29", kubernetes_validate.latest_version()


@pytest.mark.parametrize("version", [OLDEST, NEWEST], ids=["oldest", "newest"])
def test_kubernetes_takes_the_job_of_a_month(version):
    kubernetes_validate.validate(yaml.safe_load(MANIFEST.read_text()), version, strict=True)


@pytest.mark.parametrize(
    ("key", "value"),
    [("restartPolice", "Never"), ("activeDeadlineSeconds", "soon"), ("containers", None)],
)
def test_a_job_with_a_slip_would_be_refused(key, value):
    job = yaml.safe_load(MANIFEST.read_text())
    job["spec"]["jobTemplate"]["spec"]["template"]["spec"][key] = value
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(job, NEWEST, strict=True)
