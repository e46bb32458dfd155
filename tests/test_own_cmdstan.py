"""Files that CmdStan writes."""

from pathlib import Path

import numpy as np
import pytest
from needs import library

from tallgrass.cli import main
from tallgrass.errors import DataError
from tallgrass.inference.diagnostics import diagnose
from tallgrass.own.cmdstan import is_cmdstan, read_cmdstan
from tallgrass.own.inference_data import as_trace

FILES = sorted((Path(__file__).parent / "cmdstan").glob("*.csv"))
HEADER = "# stan_version_major = 2\n# num_warmup = 3\n# save_warmup = true\n# max_depth = 2\n"


def written(tmp_path, text, name="chain.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_chains_become_draws_statistics_and_seconds():
    trace = as_trace(FILES)
    posterior = trace["posterior"].to_dataset()
    assert dict(posterior.sizes) == {
        "chain": 2,
        "draw": 100,
        "theta_tilde_dim_0": 8,
        "theta_dim_0": 8,
    }
    lines = [line for line in FILES[0].read_text().splitlines() if not line.startswith("#")]
    assert float(posterior["mu"][0, 0]) == float(lines[1].split(",")[7])
    assert trace["sample_stats"]["diverging"].dtype == bool
    assert trace.attrs["sampler"] == "cmdstan"
    assert trace.attrs["sampler_version"] == "2.36.0"
    assert trace.attrs["sampling_s"] == pytest.approx(0.033)
    assert len(diagnose(trace).ebfmi) == 2


@pytest.mark.slow  # CI adds the library after the default tests
def test_cmdstanpy_and_arviz_read_the_same():
    cmdstanpy = library("cmdstanpy")
    fit = cmdstanpy.from_csv([str(path) for path in FILES])
    theirs, ours = as_trace(fit), as_trace(FILES)
    for group in ("posterior", "sample_stats"):
        for name, array in theirs[group].to_dataset().data_vars.items():
            np.testing.assert_array_equal(array, ours[group][name], err_msg=name)
    assert theirs.attrs["sampler"] == "cmdstanpy"


def test_matrices_tuning_and_the_limit_of_the_depth_are_read(tmp_path):
    columns = "lp__,treedepth__,x.1.1,x.2.1,x.1.2,x.2.2,y"
    rows = "".join(f"{i},{i % 3},1,2,3,4,{i}\n" for i in range(5))
    tree = read_cmdstan([written(tmp_path, f"{HEADER}{columns}\n{rows}")])
    np.testing.assert_array_equal(tree["posterior"]["x"][0, 0], [[1, 3], [2, 4]])
    np.testing.assert_array_equal(tree["posterior"]["y"][0], [3, 4])
    assert tree["warmup_sample_stats"].sizes["draw"] == 3
    np.testing.assert_array_equal(
        tree["warmup_sample_stats"]["reached_max_treedepth"][0], [0, 0, 1]
    )


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([HEADER + "lp__,x\n"], "no draws in a file of CmdStan"),
        ([HEADER + "lp__,x\n1,2,3,4\n1\na,b\n"], "not a file of draws of CmdStan"),
        ([HEADER + "lp__,x\n1,2\n", HEADER + "lp__,y\n1,2\n"], "files of different models"),
        ([HEADER + "lp__,x\n1,2\n", HEADER + "lp__,x\n1,2\n3,4\n"], "chains of different lengths"),
    ],
)
def test_files_that_cannot_be_read_together_are_one_line(tmp_path, texts, message):
    paths = [written(tmp_path, text, f"{i}.csv") for i, text in enumerate(texts)]
    with pytest.raises(DataError, match=message):
        read_cmdstan(paths)


def test_other_files_are_told_apart(tmp_path, capsys):
    other = written(tmp_path, "legislator,vote\na,1\n")
    assert not is_cmdstan(other)
    assert all(map(is_cmdstan, FILES))
    assert main(["log", str(FILES[0]), str(other)]) == 2
    assert "or CmdStan's CSV files of one run" in capsys.readouterr().err
