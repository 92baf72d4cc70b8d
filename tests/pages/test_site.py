"""The documentation: every public name has a page with an example, no link is broken, no request leaves the site."""

import contextlib
import doctest
import functools
import http.server
import importlib
import os
import subprocess
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from docs.hooks import api
from tests import browser

ROOT = Path(__file__).parents[2]
NAMES = [name for names in api.documented().values() for name in names]
LOADS = {("img", "src"), ("script", "src"), ("link", "href"), ("source", "src"), ("iframe", "src")}


def thing(name):
    module, _, own = name.rpartition(".")
    return getattr(importlib.import_module(module), own)


def test_every_public_name_has_a_page_and_its_module_says_which_they_are():
    for package in api.PACKAGES:
        module = importlib.import_module(package)
        pages = {name.rpartition(".")[2] for name in api.documented()[package]}
        assert pages | {name.rpartition(".")[2] for name in api.MODULES} >= set(module.__all__)
    assert {f"api/{name}.md" for name in [*NAMES, *api.MODULES]} <= set(api.pages())


@pytest.mark.parametrize("name", [*NAMES, *api.MODULES])
def test_the_page_of_a_name_has_an_example(name):
    found = importlib.import_module(name) if name in api.MODULES else thing(name)
    texts = [found.__doc__ or ""]
    if name in api.MODULES:
        texts += [getattr(found, each).__doc__ or "" for each in api.functions_of(name)]
    assert any(doctest.DocTestParser().get_examples(text) for text in texts)


@pytest.mark.parametrize(("name", "package"), [("api", "ast"), ("doctests", "griffe"), ("sources", "nbconvert")])
def test_the_examples_in_the_hooks_run(name, package):
    pytest.importorskip(package, reason="needs the extra docs")
    done = doctest.testmod(importlib.import_module(f"docs.hooks.{name}"))
    assert done.attempted
    assert done.failed == 0


class Page(HTMLParser):
    """The addresses that a page links to or loads, and the ids in it."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.ids = [], [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                self.ids.add(value)
            if (tag, name) in LOADS and dict(attributes).get("rel") != "canonical":
                self.loaded.append(value)
            elif name == "href":
                self.links.append(value)


def checked(folder):
    """Return (broken links, addresses elsewhere that are loaded) of all pages in a folder."""
    pages = {path: Page(path) for path in folder.rglob("*.html")}
    broken, elsewhere = [], []
    for path, page in pages.items():
        elsewhere += [(path.name, each) for each in page.loaded if urlsplit(each).netloc]
        for each in page.links + page.loaded:
            parts = urlsplit(each)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            anchor = unquote(parts.fragment)
            if not target.is_file() or (anchor and target in pages and anchor not in pages[target].ids):
                broken.append((path.relative_to(folder).as_posix(), each))
    return broken, elsewhere


def test_the_checker_sees_what_is_broken(tmp_path):
    (tmp_path / "a.html").write_text(
        '<p id="here"><a href="#here"></a><a href="#there"></a><a href="b.html"></a><a href="https://example.org"></a>'
        '<script src="https://example.org/x.js"></script>'
    )
    assert checked(tmp_path) == (
        [("a.html", "#there"), ("a.html", "b.html")],
        [("a.html", "https://example.org/x.js")],
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site, with a small page in the place of the report, which takes minutes to make."""
    for package in ("material", "mkdocstrings", "nbconvert"):
        pytest.importorskip(package, reason="needs the extra docs")
    folder = tmp_path_factory.mktemp("site")
    report = folder / "report.html"
    report.write_text("<title>report</title>", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder / "built"],
        cwd=ROOT,
        env={**os.environ, "KERAS_AMSGRAD_REPORT": str(report), "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    return folder / "built"


@pytest.mark.slow
def test_no_link_is_broken_and_nothing_is_loaded_from_elsewhere(site):
    assert checked(site) == ([], [])
    assert len(list(site.rglob("*.html"))) > 50
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert "url(http" not in styles
    assert "@import" not in styles


@pytest.mark.slow
@pytest.mark.parametrize("name", [*NAMES, *api.MODULES])
def test_the_example_stands_on_the_page(site, name):
    text = (site / "api" / f"{name}.html").read_text(encoding="utf-8")
    assert "&gt;&gt;&gt;" in text
    assert "&lt;blockquote" not in text
    assert name.rpartition(".")[2] in text


@contextlib.contextmanager
def served(folder):
    """Serve a folder on a free port of this machine, and give its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@pytest.mark.slow
@pytest.mark.skipif(browser.CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
@pytest.mark.parametrize("width", [1280, 400])
def test_pages_fit_the_screen_and_no_request_leaves_the_site(site, width):
    pages = ["index", "optimizers", "published", "how-it-works", "api/keras_amsgrad.replicas.train", "examples/index"]
    with served(site) as address, browser.page() as opened:
        opened.size(width)
        for page in pages:
            opened.open(f"{address}/{page}.html")
            assert opened.run("document.documentElement.scrollWidth") <= width, page
            requests = [each["request"]["url"] for kind, each in opened.events if kind == "Network.requestWillBeSent"]
            assert len(requests) > 2
            assert [url for url in requests if not url.startswith((address, "data:"))] == []
            errors = [each for kind, each in opened.events if kind in ("Runtime.exceptionThrown", "Log.entryAdded")]
            assert errors == [], page
