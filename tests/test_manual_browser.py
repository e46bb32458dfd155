"""The manual in a real browser: nothing asked of the network, search, a small screen."""

import functools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from needs import missing

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the manual, built as make docs does; its examples are carried out in CI."""
    pytest.importorskip("sphinx") if not os.environ.get("CI") else __import__("sphinx")
    folder = tmp_path_factory.mktemp("site")
    strictly = ["--quiet", "--fail-on-warning", "--keep-going"]
    places = ["-d", folder / "made", ROOT / "docs", folder / "html"]
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", *strictly, *places],
        env={**os.environ, "TALLGRASS_MANUAL": "force" if os.environ.get("CI") else "off"},
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
        if found:
            break
        time.sleep(0.1)

    assert "Concepts, with the mathematics" in found
