"""MLflow's own pages on a store of ours, in a real browser: view, Compare, report."""

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import mlflow
import pytest
from example_cluster import environment
from example_store import default_store
from needs import missing
from postgres import free_port

from tallgrass.experiment import Experiment, Options, run_experiment
from tallgrass.experiment.expectations import read_expectation
from tallgrass.settings import load_settings

pytestmark = pytest.mark.browser

PATIENCE = 60
# Where the screenshots of the documentation are written, when they are to be made again.
# Absolute: the tests change folder.
PICTURES = (given := os.environ.get("TALLGRASS_TEST_PICTURES")) and Path(given).absolute()
EXPERIMENT = Experiment(
    "priors",
    "Do priors and starts matter here?",
    "Not for the ideal points.",
    hold={"session": "simulated", "chains": 2, "fit_checks": False, "draws": 500, "tune": 300},
    vary={
        "beta_prior": ["normal:0,1", "lognormal:0,0.5", *(["halfnormal:1"] if PICTURES else [])],
        "init": ["pca", "none"],
        "target_accept": [0.8, 0.9] if PICTURES else [0.8],
    },
    baseline={"beta_prior": "normal:0,1", "init": "pca", "target_accept": 0.8},
    expect=(read_expectation({"abs_r": "> 0.95"}), read_expectation({"rhat_max": "< 1.1"})),
)
N_RUNS = 12 if PICTURES else 4
MATCHING = f"{N_RUNS} matching runs"


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    programs = [shutil.which("chromium") or shutil.which("google-chrome")]
    programs.append(shutil.which("chromedriver"))
    if not all(programs):
        reason = "no Chromium with its chromedriver is installed"
        missing(reason)
    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    profile = tmp_path_factory.mktemp("profile")
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "window-size=1500,1050"):
        options.add_argument(f"--{flag}")
    options.add_argument(f"--user-data-dir={profile}")
    options.add_argument("--disable-dev-shm-usage")
    found = webdriver.Chrome(options=options, service=Service(programs[1]))
    yield found
    found.quit()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """An experiment, and the address of the pages that ``tallgrass ui`` serves."""
    folder = tmp_path_factory.mktemp("store")
    with default_store(folder):
        settings = load_settings({"progress": "none"})
        result = run_experiment(EXPERIMENT, settings, Options())
        port = free_port()
        command = [sys.executable, "-m", "tallgrass", "ui", "--port", str(port)]
        with (folder / "ui.txt").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=folder, env=environment(), stdout=log, stderr=log
            )
            try:
                yield wait_for_server(folder, port), result
            finally:
                process.terminate()
                process.wait(30)


def wait_for_server(folder: Path, port: int) -> str:
    for _ in range(240):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
            return re.findall(r"http://\S+", (folder / "ui.txt").read_text())[0]
        except (OSError, IndexError):
            time.sleep(0.5)
    raise TimeoutError((folder / "ui.txt").read_text())


def seen(driver, *words):
    """The text of the page once it holds all the words."""
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.common.by import By

    text = ""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            text = driver.find_element(By.TAG_NAME, "body").text
        except StaleElementReferenceException:
            continue
        if all(word in text for word in words):
            return text
        time.sleep(0.2)
    missing = [word for word in words if word not in text]
    raise AssertionError(f"not on the page: {missing}\n{text[:3000]}")


def keep(driver, name):
    """Write the picture of the documentation, where that is asked for."""
    if not PICTURES:
        return
    from io import BytesIO

    from PIL import Image

    time.sleep(1.5)
    picture = Image.open(BytesIO(driver.get_screenshot_as_png())).convert("RGB")
    picture = picture.quantize(192, dither=Image.Dither.NONE)
    picture.save(PICTURES / f"{name}.png", optimize=True)


def opened(driver, address, *words):
    """The text of a page that is loaded anew, with the assistant closed that takes its width."""
    driver.get("about:blank")  # another place after # alone is no new page
    driver.get(address)
    seen(driver, *words)
    close_assistant(driver)
    return seen(driver, *words)


def close_assistant(driver):
    driver.execute_script(
        "const b = document.querySelector(\"[aria-label*='lose']\"); if (b) b.click();"
    )


def test_the_address_that_is_printed_shows_our_columns_filled(driver, pages):
    address, result = pages
    assert address.endswith("runs?workflowType=machine_learning&viewStateShareKey=results")
    # the parent is in a view of its own
    text = opened(driver, address, "rhat_max", MATCHING, "simulated senate")
    assert "Do priors and starts matter" in text
    runs = result.results.runs
    shown = sum(f"{value:.7g}" in text for value in runs["rhat_max"])
    assert shown == len(runs) == N_RUNS
    keep(driver, "results")


def test_a_fresh_browser_of_1500_pixels_shows_results_in_order_and_no_pages_for_language_models(
    driver, pages
):
    from selenium.webdriver.common.by import By

    text = opened(driver, pages[0], "rhat_max", MATCHING, "simulated senate")
    assert "Judges" not in text  # of the pages for language models
    heads = driver.find_elements(By.CSS_SELECTOR, ".ag-header-cell")
    width = driver.execute_script(
        "return document.querySelector('.ag-root').getBoundingClientRect().right"
    )
    visible = [
        head.text.strip()
        for head in sorted(heads, key=lambda head: head.rect["x"])
        if head.text.strip() and head.rect["x"] + head.rect["width"] <= width
    ]
    assert visible[:2] == ["Run Name", "Created"]
    measures = ["rhat_max", "ess_min", "divergences", "ebfmi_min", "abs_r"]
    assert visible[2:9] == [*measures, "ess/per_second", "Duration"]


def test_each_view_of_the_menu_shows_its_kind_of_run(driver, pages):
    address = pages[0].replace("ShareKey=results", "ShareKey=experiments")
    said = pages[1].results.as_expected
    text = opened(driver, address, "1 matching run", said, "runs/finished")
    assert "simulated senate" not in text


def test_the_page_of_a_run_has_a_description_that_opens_its_report(driver, pages):
    from selenium.webdriver.common.by import By

    run_id, experiment = pages[1].results.runs.index[0], pages[1].experiment_id
    home = pages[0].partition("#")[0]
    page = f"{home}#/experiments/{experiment}/runs/{run_id}?workflowType=machine_learning"
    again = f"tallgrass rerun {run_id[:8]}"
    opened(driver, page, "Verdict: ", "stands farthest to the right", again)
    report = driver.find_element(By.LINK_TEXT, "Open the report").get_attribute("href")
    assert f"{run_id}/artifacts/report/index.html" in report
    opened(driver, report, "spec", "tables", "index.html")


def test_two_runs_are_compared(driver, pages):
    from selenium.webdriver.common.by import By

    opened(driver, pages[0], MATCHING, "simulated senate")
    boxes = driver.find_elements(By.CSS_SELECTOR, ".ag-row .ag-selection-checkbox input")
    for box in boxes[1:3]:
        driver.execute_script("arguments[0].click()", box)
    seen(driver, "Rename")
    for button in driver.find_elements(By.TAG_NAME, "button"):
        if button.text.strip() == "Compare":
            driver.execute_script("arguments[0].click()", button)
            break
    seen(driver, "Comparing 2 Runs", "Parallel Coordinates Plot", "Scatter Plot")
    # what the plot is drawn over: settings that are numbers are metrics as well
    client = mlflow.MlflowClient()
    metrics = client.get_run(pages[1].results.runs.index[0]).data.metrics
    assert {"sampler/target_accept", "sampler/draws", "prior/beta_sigma", "rhat_max"} <= set(
        metrics
    )


def test_the_report_of_the_experiment_opens_inline(driver, pages):
    from selenium.webdriver.common.by import By

    address, result = pages
    home = address.partition("#")[0]
    driver.get(
        f"{home}#/experiments/{result.experiment_id}/runs/{result.run_id}"
        "/artifacts/report/index.html?workflowType=machine_learning"
    )
    seen(driver, "report", "comparison.md")
    close_assistant(driver)
    for _ in range(PATIENCE):
        frames = driver.find_elements(By.TAG_NAME, "iframe")
        if frames:
            break
        time.sleep(1)
    driver.switch_to.frame(frames[0])
    seen(driver, "Do priors and starts matter here?", "Effective draws per second")
    driver.switch_to.default_content()
