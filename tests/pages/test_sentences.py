"""What pages say of results comes from records: no sentence that weighs one optimizer against another is typed."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATES = ("answer.md", "claims.html", "counts.md", "own.html", "published.md", "report.html")
# docs/optimizers.md gives advice on when to use which, and docs/benchmarks.md measures times.
PAGES = ("README.md", *(f"docs/{name}.md" for name in ("index", "studies", "comparing", "verdicts", "how-it-works")))
WEIGHING = re.compile(
    r"\b(lower|higher|lowest|highest|faster|slower|better|best|worse|worst|ahead|behind|beats?|wins?|overfits?|fails?|"
    r"outperforms?|surpass\w*|superior|meet|converges?|contradict\w*|because|overfit\w*|diverges?|loses?|leads?)\b"
)
COMPARED = re.compile(
    r"\b(Adam|AMSGrad|AdaMax|Nadam|ND-?Adam|SWATS|SGD|dropout|decay|CNN|networks?|ours)\b", re.IGNORECASE
)

# Typed sentences that weigh nothing against anything, although they have such words: definitions, questions, advice.
NO_RESULTS = ("## Does AMSGrad beat Adam?",)


def typed(page):
    """Return the sentences of a page that somebody typed: no code, tables, generated parts or fields of a template."""
    text = re.sub(r"<!-- (\w+), written by.*?<!-- end of \1 -->", "", page, flags=re.DOTALL)
    text = re.sub(r"^```.*?^```|^    .*?$|^\|.*?$", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"\{[{%].*?[%}]\}|<[^>]+>|!\[[^\]]*\]", " ", text, flags=re.DOTALL)
    return [" ".join(each.split()) for each in re.split(r"(?<=[.?!:])\s|\n\n", text) if each.strip()]


def strings(path):
    """Return the texts in a module that are not docstrings: what it may print."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.FunctionDef, ast.ClassDef)
    docstrings = {
        node.body[0].value for node in ast.walk(tree) if isinstance(node, documented) and ast.get_docstring(node)
    }
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [sentence for node in texts if node not in docstrings for sentence in re.split(r"(?<=[.?!])\s", node.value)]


def weighing(sentences):
    """Return the sentences that seem to weigh what was compared."""
    found = [each for each in sentences if WEIGHING.search(each) and COMPARED.search(each)]
    return [each for each in found if not each.endswith("?") and not any(allowed in each for allowed in NO_RESULTS)]


@pytest.mark.parametrize(
    "sentence",
    [
        "On MNIST, AMSGrad ends with a higher training loss, and a lower test loss, because it overfits later.",
        "Adam fits the training images almost without error; AMSGrad follows more slowly, since it is behind.",
        "In the test loss AMSGrad is ahead.",
    ],
)
def test_a_sentence_about_results_is_seen(sentence):
    assert weighing(typed(sentence)) == [sentence]


@pytest.mark.parametrize("name", [*PAGES, *(f"studies/report/templates/{name}" for name in TEMPLATES)])
def test_no_page_has_a_typed_sentence_about_results(name):
    assert weighing(typed((ROOT / name).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("folder", ["studies/figures", "studies/catalog"])
def test_no_caption_and_no_study_has_a_typed_sentence_about_results(folder):
    texts = {path.name: strings(path) for path in (ROOT / folder).glob("*.py")}
    assert sum(map(len, texts.values())) > 100
    assert {name: found for name, sentences in texts.items() if (found := weighing(sentences))} == {}


def test_the_claims_hold_the_words_of_sources_and_no_reasons_of_ours():
    from dataclasses import fields

    from studies.claims import Claim

    texts = {each.name for each in fields(Claim) if each.type is str}
    assert texts == {"source", "text", "quote", "place", "exceptions", "note"}
