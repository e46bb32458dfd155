from pathlib import Path

import pytest
from example_store import bare_folder

from tallgrass.errors import SpecError
from tallgrass.rollcalls.spec import RunSpec, changed_spec, load_run_spec
from tallgrass.settings import Settings, load_settings, warn_of_unknown_variables


@pytest.fixture(autouse=True)
def folder(tmp_path):
    with bare_folder(tmp_path):
        yield tmp_path


def test_without_any_source_the_defaults_of_the_declaration_hold():
    assert RunSpec() == load_run_spec()


def test_a_flag_beats_the_environment_which_beats_the_env_file_which_beats_the_default(
    folder, monkeypatch
):
    (folder / ".env").write_text("TALLGRASS_DRAWS=30\nTALLGRASS_TUNE=40\nTALLGRASS_SEED=5\n")
    monkeypatch.setenv("TALLGRASS_DRAWS", "300")
    monkeypatch.setenv("TALLGRASS_TUNE", "400")
    spec = load_run_spec({"draws": "3000"})
    assert (spec.draws, spec.tune, spec.seed, spec.chains) == (3000, 400, 5, 4)


def test_an_empty_variable_counts_as_not_set(monkeypatch):
    monkeypatch.setenv("TALLGRASS_CHAMBER", "")
    assert load_run_spec().chamber == "senate"


def test_an_env_file_may_hold_the_variables_of_other_programs(folder):
    (folder / ".env").write_text("DATABASE_URL=postgresql://x\nTALLGRASS_CHAMBER=house\n")
    assert load_run_spec().chamber == "house"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"draws": "abc"}, "draws"),
        ({"chains": "0"}, "chains"),
        ({"chamber": "lords"}, "chamber"),
        ({"target_accept": "1"}, "target_accept"),
        ({"beta_prior": "normal:0"}, "beta_prior"),
        ({"beta_prior": "cauchy:0,1"}, "beta_prior"),
    ],
)
def test_a_bad_value_is_a_spec_error_that_names_the_parameter_and_the_value(flags, words):
    with pytest.raises(SpecError, match=words) as caught:
        load_run_spec(flags)
    assert next(iter(flags.values())) in str(caught.value)
    assert "TALLGRASS_" not in str(caught.value)


def test_a_bad_value_from_the_environment_says_so(monkeypatch):
    monkeypatch.setenv("TALLGRASS_DRAWS", "many")
    with pytest.raises(SpecError, match=r"draws .*\[from TALLGRASS_DRAWS\].*'many'"):
        load_run_spec()


def test_a_bad_prior_from_the_env_file_says_so(folder):
    (folder / ".env").write_text("TALLGRASS_BETA_PRIOR=cauchy:0,1\n")
    with pytest.raises(SpecError, match=r"\[from TALLGRASS_BETA_PRIOR in \.env\]"):
        load_run_spec()


def test_a_bad_setting_is_a_spec_error_too(monkeypatch):
    monkeypatch.setenv("TALLGRASS_THRESHOLD_RHAT", "0.9")
    with pytest.raises(SpecError, match=r"threshold_rhat .*\[from TALLGRASS_THRESHOLD_RHAT\]"):
        load_settings()


def test_settings_come_from_flags_and_environment(monkeypatch):
    monkeypatch.setenv("TALLGRASS_DATA_DIR", "/somewhere")
    settings = load_settings({"tracking_uri": "sqlite:///other.db"})
    assert (Path("/somewhere"), "sqlite:///other.db") == (settings.data_dir, settings.tracking_uri)


def test_the_default_thresholds_are_those_of_the_verdict():
    from tallgrass.inference.diagnostics import Thresholds

    assert Thresholds() == Settings().thresholds


def test_a_threshold_that_was_set_reaches_the_verdict(monkeypatch):
    monkeypatch.setenv("TALLGRASS_THRESHOLD_ESS", "1000")
    assert load_settings().thresholds.ess == 1000


def test_run_parameters_and_settings_do_not_share_a_name():
    assert not set(RunSpec.model_fields) & set(Settings.model_fields)


def test_a_misspelt_variable_is_warned_about_with_the_name_that_was_meant(monkeypatch, caplog):
    monkeypatch.setenv("TALLGRASS_CHAMBRE", "house")
    monkeypatch.setenv("TALLGRASS_DRAWS", "10")
    warn_of_unknown_variables(RunSpec.model_fields)
    (record,) = caplog.records
    assert "TALLGRASS_CHAMBRE is ignored; did you mean TALLGRASS_CHAMBER" in record.getMessage()


def test_a_changed_spec_is_checked_as_a_whole():
    spec = RunSpec(draws=10)
    assert RunSpec(draws=10, chamber="house") == changed_spec(spec, {"chamber": "house"})
    with pytest.raises(SpecError, match="adaptation"):
        changed_spec(RunSpec(adaptation="low_rank"), {"sampler": "pymc"})


def test_a_setting_that_is_none_of_ours_is_named_with_the_nearest():
    with pytest.raises(SpecError, match=r"unknown setting: received 'progres'.*progress"):
        Settings(progres="none")
