"""The manual in a real browser: nothing asked of the network, search, a small screen."""

import functools
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from forked import Forkery
from needs import missing
from test_manual import RUN_SPEC, SHORT_RUN_SPEC, copy_clone

# Pages whose runs are short here: no text of theirs is about how well a chain converges. The others
# sample as long as they say: a calibration is published only where its verdict is pass.
SHORT_PAGES = [
    "gallery", "tutorials/kansas-in-an-hour", "tutorials/two-dimensions", "tutorials/pca-start"
]  # fmt: skip
SHORT = [
    (RUN_SPEC, SHORT_RUN_SPEC),
    (re.compile(r"^(!tallgrass (run|dims) )", re.M), r"\1--draws 200 --tune 200 --chains 2 "),
    (re.compile(r"^\[hold\]$", re.M), "[hold]\ndraws = 200\ntune = 200\nchains = 2"),
]
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the manual, built as make docs does; its examples are carried out in CI."""
    pytest.importorskip("sphinx") if not os.environ.get("CI") else __import__("sphinx")
    folder = tmp_path_factory.mktemp("site")
    copy_clone(folder / "clone")
    for page in SHORT_PAGES:
        path = folder / "clone" / "docs" / f"{page}.md"
        text = path.read_text()
        for long, short in SHORT:
            text = long.sub(short, text)
        assert text != path.read_text()
        path.write_text(text)
    strictly = ["--quiet", "--fail-on-warning", "--keep-going"]
    places = ["-d", folder / "made", folder / "clone" / "docs", folder / "html"]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "JUPYTER_PATH": str(folder)}
    environment["TALLGRASS_MANUAL"] = "force" if os.environ.get("CI") else "off"
    if os.environ.get("CI"):
        forked_kernel(folder, environment)
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", *strictly, *places],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    handler = functools.partial(QuietHandler, directory=folder / "html")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def forked_kernel(folder: Path, environment: Mapping[str, str]) -> None:
    """Let Jupyter find a kernel, and that kernel commands, that need not import the program."""
    place = Forkery(environment).folder
    kernel = {
        "argv": [str(place / "forked-python"), "-m", "ipykernel_launcher", "-f"],
        "env": {"PATH": os.pathsep.join([str(place), os.environ["PATH"]])},
        "display_name": "Python",
        "language": "python",
    }
    kernel["argv"].append("{connection_file}")
    (folder / "kernels" / "python3").mkdir(parents=True)
    (folder / "kernels" / "python3" / "kernel.json").write_text(json.dumps(kernel))


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def browser() -> Iterator:
    from selenium import webdriver
    from selenium.common.exceptions import WebDriverException

    options = webdriver.ChromeOptions()
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    try:
        driver = webdriver.Chrome(options=options)
    except WebDriverException as error:
        missing(f"no Chromium with a driver ({error.msg})")
    with driver:
        yield driver


def asked(browser) -> set[str]:
    """The addresses that pages have asked for since the last call."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return {
        m["params"]["request"]["url"]
        for m in messages
        if m["method"] == "Network.requestWillBeSent"
    }


@pytest.mark.parametrize("page", ["index", "concepts", "reference/api/tallgrass.fit", "verdict"])
def test_a_page_asks_nothing_of_others_and_fits_a_telephone(site: str, browser, page: str) -> None:
    browser.set_window_size(400, 800)
    asked(browser)
    browser.get(f"{site}/{page}.html")
    time.sleep(0.5)  # what a page asks for later

    outside = {
        url for url in asked(browser) if not url.startswith((site, "data:", "chrome", "blob:"))
    }
    wide = browser.execute_script(
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert outside == set()
    assert wide <= 0


def test_equations_are_set_without_a_network(site: str, browser) -> None:
    browser.get(f"{site}/concepts.html")
    for _ in range(100):
        if browser.execute_script("return document.querySelectorAll('mjx-container').length") > 5:
            break
        time.sleep(0.1)

    assert browser.execute_script("return document.querySelectorAll('mjx-container').length") > 5
    assert not browser.execute_script("return document.querySelectorAll('mjx-merror').length")


def test_the_search_finds_a_page_by_a_word_of_its_text(site: str, browser) -> None:
    browser.get(f"{site}/search.html?q=divergence")
    for _ in range(100):
        found = browser.execute_script(
            "return [...document.querySelectorAll('#search-results li a')]"
            ".map((link) => link.textContent)"
        )
        if "Concepts, with the mathematics" in found:  # results come one after the other
            break
        time.sleep(0.1)

    assert "Concepts, with the mathematics" in found
