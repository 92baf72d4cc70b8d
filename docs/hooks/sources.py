"""Files of the repository as pages of the site, and their links to one another."""

import ast
import posixpath
import re
from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\((?P<path>[^)#:\s]+)(?P<anchor>#[^)]*)?\)")
REPORT = "[The report](report/report.html) shows these results on one page, with every figure and the values in it.\n\n"
# Notebooks first.
EXAMPLES = sorted(
    [*ROOT.glob("examples/*.ipynb"), *ROOT.glob("examples/*.py")], key=lambda path: path.suffix != ".ipynb"
)

# The figures that the page of the published results shows.
FIGURES = re.findall(r"\]\((figures/[^)]+)\)", (ROOT / "studies/published/README.md").read_text(encoding="utf-8"))

# The file of the repository for each page that is not in docs/.
ADDRESSES = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "LICENSE": "license.md",
    "README.md": "index.md",
    "studies/published/README.md": "published.md",
    "examples/adam_can_fail.png": "figures/adam_can_fail.png",
    **{f"studies/published/{name}": name for name in FIGURES},
    **{f"examples/{path.name}": f"examples/{path.stem}.md" for path in EXAMPLES},
}


def address(path: str) -> str | None:
    """Return the place in the site of a file of the repository, or None where it has none.

    >>> address("docs/searches.md"), address("examples/minimal.py"), address("setup.cfg")
    ('searches.md', 'examples/minimal.md', None)
    """
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return ADDRESSES.get(path)


def with_links_of_the_site(markdown: str, path: str) -> str:
    """Return the text of a file of the repository with its links to other files made links of the site.

    >>> with_links_of_the_site("see [the example](../examples/minimal.py)", "docs/searches.md")
    'see [the example](examples/minimal.md)'
    """
    here = posixpath.dirname(address(path) or "")

    def replaced(link: re.Match[str]) -> str:
        place = address(posixpath.normpath(posixpath.join(posixpath.dirname(path), link["path"])))
        return f"]({posixpath.relpath(place, here or '.')}{link['anchor'] or ''})" if place else link[0]

    return LINK.sub(replaced, markdown)


def of_program(path: Path) -> str:
    """Return the page of an example: its docstring, and the whole program."""
    text = path.read_text(encoding="utf-8")
    words = ast.get_docstring(ast.parse(text)) or ""
    return f"# {path.name}\n\n{words}\n\n```python\n{text}```\n"


def of_notebook(path: Path) -> tuple[str, dict[str, bytes]]:
    """Return the page of a notebook with its output, and {name: content} of the pictures that it shows."""
    notebook = nbformat.read(path, as_version=4)
    text, resources = MarkdownExporter().from_notebook_node(notebook)
    pictures = {f"{path.stem}_{name}": content for name, content in resources["outputs"].items()}
    for name in resources["outputs"]:
        text = text.replace(f"({name})", f"({path.stem}_{name})")
    return text, pictures


def first_sentence(page: str) -> str:
    """Return the first sentence of a page below its heading.

    >>> first_sentence("# Heading\\n\\nTrain a small\\nnetwork. Save it.")
    'Train a small network.'
    """
    words = " ".join(page.partition("\n")[2].split())
    return re.split(r"(?<=\.) ", words)[0]


def pages() -> dict[str, str | bytes]:
    """Return {address in the site: content} of the pages that are made of files outside docs/."""
    found: dict[str, str | bytes] = {}
    lines = ["# Examples", "", "Notebooks, with their output, and whole programs. Tests run all of them.", ""]
    for path in EXAMPLES:
        if path.suffix == ".ipynb":
            page, pictures = of_notebook(path)
            found |= {f"examples/{name}": content for name, content in pictures.items()}
        else:
            page = of_program(path)
        found[f"examples/{path.stem}.md"] = page
        lines.append(f"* [{path.name}]({path.stem}.md): {first_sentence(page)}")
    found["examples/index.md"] = "\n".join([*lines, ""])
    for name in ("CONTRIBUTING.md", "CHANGELOG.md", "studies/published/README.md"):
        found[ADDRESSES[name]] = (ROOT / name).read_text(encoding="utf-8")
    found["published.md"] = str(found["published.md"]).replace("\n\n", f"\n\n{REPORT}", 1)
    found["license.md"] = "# Licence\n\n" + (ROOT / "LICENSE").read_text(encoding="utf-8")
    return found
