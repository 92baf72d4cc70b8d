"""The report page: what it says, and how it looks and behaves in a real browser."""

import dataclasses
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from studies import results
from studies.catalog import STUDIES, Arm, NetworkStudy, OwnCommand, Search, command_of
from studies.claims import CLAIMS
from studies.records.plan import Findings, Plan
from studies.report import page, section
from tests import browser, made_up

MALICIOUS = "<script>alert(1)</script> & <b>"


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """A results folder with made-up records of one small study of each source, and one of a user's own."""
    out = tmp_path_factory.mktemp("made_up")
    mine = NetworkStudy(
        name="mine",
        title=MALICIOUS,
        source="own",
        question=MALICIOUS,
        data="mine",
        model="mine",
        epochs=4,
        seeds=2,
        left_open=(MALICIOUS,),
        arms=(Arm("Adam", 0.01, 0.9), Arm(MALICIOUS, 0.01, 0.9)),
    )
    smoke = (STUDIES[name].smoke() for name in ("korzeniowski-cifarnet", "perez-mlp", "bushaev-variants"))
    noted = STUDIES["mcgill-cifarnet"].as_variant("as-coded").smoke()
    made_up.record(out, noted, Findings(data_note="Went through JPEG."))
    for study in smoke:
        made_up.record(out, study, Findings(data_rows=(50_000, 10_000), row_operations=10**8))
    for study in (STUDIES["digits"], mine):
        made_up.record(out, study)
    page.write_report(out)
    return out


@pytest.fixture(scope="module")
def text(out):
    return (out / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def opened(out):
    if browser.CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with browser.page() as page:
        page.size(1200)
        page.open((out / "report.html").as_uri())
        yield page


def test_the_answer_comes_first_then_contents_then_a_section_for_each_source(text):
    ids = re.findall(r'<(?:h2|section) id="([^"]+)"', text)
    sources = [each for each in ids if each.startswith("source-")]
    assert ids[:3] == ["answer", "verdicts", "contents"]
    assert ids[-2:] == ["open", "words"]
    assert sources == [f"source-{name}" for name in ("bennatan", "korzeniowski", "perez", "bushaev", "digits", "own")]


@pytest.fixture(scope="module")
def first_page(tmp_path_factory):
    """The path of the page that `make study` leaves, of made-up records."""
    out = tmp_path_factory.mktemp("first")
    made_up.record(out, STUDIES["digits"])
    return page.write_report(out)


def test_the_page_of_digits_alone_begins_with_its_answer_and_its_curves(first_page):
    text = first_page.read_text(encoding="utf-8")
    lead = text[text.index('id="answer"') : text.index('id="verdicts"')]
    assert lead.count('<p class="answer">') == 1
    assert [name in lead for name in ("digits-answer-loss", "digits-answer-accuracy")] == [True, True]
    unanswered = text[text.index('id="open"') : text.index('id="words"')]
    assert re.findall(r"<details[^>]*>", unanswered) == ["<details>"]  # one closed line


@pytest.mark.skipif(browser.CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("of", ["first_page", "own_page"])
def test_the_first_screen_has_the_answer_and_its_picture(of, width, request):
    with browser.page() as opened:
        opened.size(width, 900)
        opened.open(request.getfixturevalue(of).as_uri())
        for shown in ("#answer .answer", "#answer figure"):
            assert opened.run(f"document.querySelector('{shown}').getBoundingClientRect().bottom") < 900


@pytest.fixture(scope="module")
def own_page(tmp_path_factory):
    """The path of the page of a made-up comparison of one's own, of three optimizers."""
    out = tmp_path_factory.mktemp("own")
    arms = (Arm("Adam"), Arm("AMSGrad"), Arm("AdaMax"))
    mine = {"name": "compare-small-digits", "title": "small on digits", "own_command": OwnCommand("my_models:small")}
    search = Search((0.001,), (0.999,), epochs=2)
    study = dataclasses.replace(STUDIES["digits"], source="own", arms=arms, search=search, epochs=2, seeds=3, **mine)
    made_up.record(out, study)
    return page.write_report(out)


def test_the_page_of_one_s_own_comparison_begins_with_its_answer_and_one_picture(own_page):
    text = own_page.read_text(encoding="utf-8")
    lead = text[text.index('id="answer"') : text.index('id="verdicts-own"')]
    assert "<h1>small on digits</h1>" in text
    assert "<title>small on digits</title>" in text
    assert re.findall('<p class="answer">(Not decided between Adam and each of AMSGrad and AdaMax)?', lead) == [
        "Not decided between Adam and each of AMSGrad and AdaMax"
    ]
    assert re.findall(r'<figure id="([^"]+)"', lead) == ["answer-forest"]
    drawn = lead[lead.index("<figure") : lead.index("<figcaption>")]
    assert [name in drawn for name in ("AMSGrad", "AdaMax", "Nadam")] == [True, True, False]


def test_the_page_of_one_s_own_comparison_counts_its_claims_from_1_and_says_the_same_once(own_page):
    text = own_page.read_text(encoding="utf-8")
    claims = text[text.index('id="verdicts-own"') : text.index('id="contents"')]
    assert re.findall(r'<tr id="claim-(\d+)"><td>(\d+)</td>', claims) == [(each, each) for each in "1234"]
    assert claims.count("3 pairs can never reach p &lt; .05") == 1
    assert claims.count("<code>studies.compare(my_models.small, ..., seeds=10)</code>") == 1
    assert text.count("small on digits</h") == 1  # one heading
    for said in ("the source", "of the sources", "paths.csv", 'id="open"'):
        assert said not in text.split("<script>")[0].lower()


def test_claims_of_one_s_own_count_from_1_beside_those_of_the_sources(tmp_path):
    mine = {"name": "mine", "title": "small on digits", "own_command": OwnCommand("my_models:small")}
    made_up.record(tmp_path, STUDIES["digits"])
    made_up.record(tmp_path, dataclasses.replace(STUDIES["digits"], source="own", seeds=2, **mine))
    text = page.write_report(tmp_path).read_text(encoding="utf-8")
    assert re.findall(r'<tr id="claim-(\d+)"><td>(\d+)</td>', text) == [
        (str(len(CLAIMS) + number), str(number)) for number in (1, 2)
    ]
    assert re.findall(r'<p class="answer">([^.]+)', text)[0] == "small on digits"


def test_the_page_stands_alone(text):
    assert not re.findall(r"(?:https?:)?//(?!www\.w3\.org)[a-z]", text.split("<script>")[0])
    assert not re.findall(r'<(?:link|script|img)[^>]+(?:href|src)="(?!data:)', text)


def test_names_are_escaped_everywhere(text):
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert(1)") > 5


def test_every_figure_has_a_caption_and_its_rows(out, text):
    figures = re.findall(r'<figure id="([^"]+)">.*?<figcaption>(.*?)</figcaption>', text, re.DOTALL)
    assert len(figures) > 20
    for name, caption in figures:
        assert len(caption.split("Rows:")[0]) > 40, name
        for path in re.findall(r'href="([^"]+)"', caption):
            assert (out / path).is_file(), path


def test_what_became_of_the_images_is_said_beside_their_figures(text):
    section = text.split('<section id="mcgill-cifarnet.as-coded">')[1].split("</section>")[0]
    assert section.count("Went through JPEG.") == 1 + section.count("<figure")


def test_a_small_run_says_what_the_whole_study_takes(text):
    section = text.split('<section id="korzeniowski-cifarnet">')[1].split("</section>")[0]
    operations = 24 * 5 * 150 * (50_000 * 3 + 10_000) * 1e8
    assert f"{operations:.2g} floating-point operations" in section
    assert f"{operations / 1e13 / 3600:.2g} hours" in section
    assert "<code>python -m studies run korzeniowski-cifarnet</code>" in section


def test_studies_stand_in_the_catalogs_order_and_before_their_variants():
    feedforward, logistic = STUDIES["mcgill-feedforward"], STUDIES["mcgill-logistic"]
    mine = dataclasses.replace(logistic, name="mine")
    expected = [logistic, feedforward, feedforward.as_variant("as-coded"), mine]
    found = page.in_order([(Plan(study, ()), []) for study in reversed(expected)])
    assert [plan.study for plan, _ in found] == expected


def test_a_small_run_settles_no_claim(tmp_path):
    study = dataclasses.replace(STUDIES["perez-logistic"], epochs=2)
    for each, expected in ((study.smoke(), "not run"), (study, "inconclusive")):
        made_up.record(tmp_path, each)
        found = results(tmp_path).verdicts
        assert found[(found["claim"] == 17) & (found["part"] == "")]["verdict"].iloc[0] == expected


def test_ids_are_used_once(text):
    class Ids(HTMLParser):
        def __init__(self):
            super().__init__()
            self.found = []

        def handle_starttag(self, tag, attributes):
            self.found += [value for name, value in attributes if name == "id"]

    parser = Ids()
    parser.feed(text)
    assert len(parser.found) == len(set(parser.found))


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        pytest.param("digits", {}, "digits", id="as it is"),
        pytest.param("mcgill-logistic", {"seeds": 10}, "mcgill-logistic --seeds 10", id="more seeds"),
        pytest.param("perez-mlp", {"epochs": 3, "seeds": 2}, "perez-mlp --seeds 2 --epochs 3", id="fewer epochs"),
    ],
)
def test_the_command_makes_the_numbers_again(name, changes, expected):
    study = dataclasses.replace(STUDIES[name], **changes)
    assert str(command_of(study)) == f"python -m studies run {expected}"


def test_the_command_names_variant_search_and_scale():
    study = STUDIES["mcgill-logistic"].as_variant("as-coded").smoke().as_variant("published-settings")
    expected = "python -m studies run mcgill-logistic --variant as-coded --search published --scale smoke"
    assert str(command_of(study)) == expected


def test_a_diverged_run_is_counted_and_left_out_of_the_mean():
    runs, _ = made_up.fits("digits", [{"optimizer": "Adam"}], seeds=3)
    runs.loc[0, "val_loss"] = float("nan")
    row = section.results(STUDIES["digits"], runs).iloc[0]
    assert row["test loss"].startswith(f"{runs['val_loss'].mean():.4f} ±")
    assert row["test loss"].endswith("(1 diverged)")


def test_rows_that_a_source_validates_on_are_called_so():
    runs, _ = made_up.fits("korzeniowski-logistic", [{"optimizer": "Adam"}])
    assert "best validation loss" in section.results(STUDIES["korzeniowski-logistic"], runs)
    assert "best test loss" in section.results(STUDIES["mcgill-logistic"], runs)


def test_a_claim_leads_to_the_runs_with_published_settings_where_there_are_no_others(tmp_path):
    study = STUDIES["mcgill-cifarnet"].as_variant("published-settings")
    made_up.record(tmp_path, dataclasses.replace(study, search=None, arms=study.arms, seeds=2))
    text = page.write_report(tmp_path).read_text(encoding="utf-8")
    claim = text.split('id="claim-7">')[1].split("</details>")[0]
    assert '<a href="#mcgill-cifarnet.published-settings">' in claim
    assert '<section id="mcgill-cifarnet.published-settings">' in text


def test_the_report_needs_no_keras():
    program = "import studies.report.page, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"keras", "tensorflow", "torch", "jax"} & set(done.stdout.split())


def test_it_opens_without_errors_or_requests(opened):
    kinds = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
    assert [event for event in opened.events if event[0] in kinds] == []
    requests = [event[1]["request"]["url"] for event in opened.events if event[0] == "Network.requestWillBeSent"]
    assert [each for each in requests if not each.startswith("data:")] == [opened.run("location.href")]


def test_the_contents_lead_to_their_sections(opened):
    broken = opened.run(
        """[...document.querySelectorAll('a[href^="#"]')].map(a => decodeURIComponent(a.hash.slice(1)))
           .filter(id => !document.getElementById(id))"""
    )
    assert broken == []
    opened.run("document.querySelector('nav a[href=\"#perez-mlp\"]').click()")
    assert abs(opened.run("document.getElementById('perez-mlp').getBoundingClientRect().top")) < 40


@pytest.mark.parametrize("width", [320, 400, 1200])
def test_the_page_never_scrolls_sideways(opened, width):
    opened.size(width)
    opened.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert opened.run("document.documentElement.scrollWidth") <= width
    outside = opened.run(
        """[...document.querySelectorAll('body *')].filter(each => !each.closest('.wide, .card, pre, .skip, #value')
           && each.getBoundingClientRect().right > innerWidth + 1).map(each => each.outerHTML.slice(0, 80))"""
    )
    assert outside == []


def test_dark_and_print_change_the_page_and_leave_figures_on_white(opened):
    color = "getComputedStyle(document.{}).backgroundColor"
    for scheme, expected in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 24, 28)")):
        opened.media(prefers_color_scheme=scheme)
        assert opened.run(color.format("body")) == expected
        assert opened.run(color.format("querySelector('.card')")) == "rgb(255, 255, 255)"
    opened.media("print", prefers_color_scheme="dark")
    assert opened.run(color.format("body")) == "rgb(255, 255, 255)"
    assert opened.run("getComputedStyle(document.querySelector('nav')).display") == "none"
    opened.media(prefers_color_scheme="light")


def test_the_value_under_the_pointer_is_that_of_the_run(opened, out):
    """Point at the last epoch of a run in the panel of its training loss."""
    from studies.records import tables

    opened.size(1200)
    x, y = opened.run(
        """(() => { const figure = document.getElementById('digits-curves'); figure.scrollIntoView();
           const line = figure.querySelector('[data-series]'), box = line.querySelector('path').getBoundingClientRect();
           return [box.right, box.bottom]; })()"""
    )
    opened.point_at(x - 0.5, y - 0.5)
    name, values = opened.run("document.getElementById('value').innerText").split("\n")
    epoch, loss = values.split(": ")
    optimizer, seed = name.split(", seed ")
    curves = tables.curves(tables.records(out)).query("study == 'digits' and stage == 'repeat'")
    mine = curves.query(f"optimizer == '{optimizer}' and seed == {seed} and epoch == {epoch}")
    assert float(loss) == pytest.approx(mine["train_loss"].iloc[0], rel=1e-3)
    assert not opened.run("document.getElementById('value').hidden")


PRINTED = 680, 1009  # pixels of A4 without its margins of 15 mm, at 96 to the inch


def test_no_figure_is_taller_than_a_printed_page(opened):
    opened.size(*PRINTED)
    opened.media("print")
    heights = opened.run("[...document.querySelectorAll('figure')].map(each => each.getBoundingClientRect().height)")
    opened.media("")
    assert len(heights) > 20
    assert max(heights) < PRINTED[1]


def test_claims_are_printed_open_and_closed_again(opened):
    closed = "[...document.querySelectorAll('details.claim')].filter(each => !each.open).length"
    opened.run("document.querySelectorAll('details').forEach(each => each.open = false)")
    before = opened.run(closed)
    assert before > 0
    opened.run("dispatchEvent(new Event('beforeprint'))")
    assert opened.run(closed) == 0
    opened.run("dispatchEvent(new Event('afterprint'))")
    assert opened.run(closed) == before


def test_the_answers_table_needs_no_scrolling_on_a_desk(opened):
    opened.size(1280)
    assert opened.run(
        "(each => each.scrollWidth <= each.clientWidth)(document.querySelector('#answer .told').parentElement)"
    )


@pytest.mark.skipif("REPORT_SCREENSHOTS" not in os.environ, reason="for eyes: set $REPORT_SCREENSHOTS to a folder")
@pytest.mark.parametrize(("kind", "width"), [("light", 1200), ("dark", 1200), ("light", 400), ("dark", 400)])
def test_screenshots(opened, kind, width):
    opened.media(prefers_color_scheme=kind)
    opened.size(width, 1600)
    for anchor in ("verdicts", "digits", "korzeniowski-cifarnet", "perez-mlp"):
        opened.run(f"document.getElementById('{anchor}').scrollIntoView()")
        opened.screenshot(Path(os.environ["REPORT_SCREENSHOTS"]) / f"{kind}-{width}-{anchor}.png")
