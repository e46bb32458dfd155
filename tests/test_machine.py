"""Findings about the machine."""

import psutil
import pytest

from tallgrass.machine import inspect_machine


def levels(findings):
    return {finding.level for finding in findings}


def test_an_ordinary_run_has_nothing_fatal(tmp_path):
    findings = inspect_machine(chains=4, n_values=600, draws=3500, folder=tmp_path)
    assert "fatal" not in levels(findings)
    assert any("cores" in finding.message for finding in findings)


def test_draws_that_do_not_fit_into_memory_are_fatal(tmp_path):
    too_many = psutil.virtual_memory().total // 8
    findings = inspect_machine(chains=1, n_values=too_many, draws=10, folder=tmp_path)
    fatal = [finding.message for finding in findings if finding.level == "fatal"]
    assert any("memory" in message and "lower draws or chains" in message for message in fatal)


@pytest.mark.parametrize("extra", [1, 5])
def test_more_chains_than_cores_are_noted(tmp_path, extra):
    chains = psutil.cpu_count() + extra
    findings = inspect_machine(chains=chains, n_values=10, draws=10, folder=tmp_path)
    assert any(f"{chains} chains on" in finding.message for finding in findings)
