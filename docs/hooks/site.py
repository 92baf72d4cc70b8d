"""What MkDocs calls while it builds the site: adds the pages that no file of docs/ holds, and adapts links."""

import configparser
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

from docs.hooks import api, sources

ROOT = Path(__file__).parents[2]


def on_config(config: Any) -> Any:
    """Add a link to the public repository, where setup.cfg names it."""
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    if home := settings["tool:release"]["home"]:
        config.nav.append({"Source": home})
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the API reference, the examples, the report and other files of the repository."""
    report = ROOT / config.extra["report"]
    if not report.is_file():
        raise PluginError(f"{report} is not there: `make docs` makes it, from the published records.")
    for address, content in {**api.pages(), **sources.pages()}.items():
        files.append(File.generated(config, address, content=content))
    for path in [report, *sorted(report.parent.glob("*.csv")), *sorted((report.parent / "figures").glob("*"))]:
        place = path.relative_to(report.parent).as_posix()
        files.append(File.generated(config, f"report/{place}", abs_src_path=str(path)))
    for path, address in sources.ADDRESSES.items():
        if address.endswith(".png"):
            files.append(File.generated(config, address, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Any, **arguments: Any) -> str:
    """Make links to files of the repository links of the site."""
    place = page.file.src_uri
    paths = {address: path for path, address in sources.ADDRESSES.items() if path != "README.md"}
    return sources.with_links_of_the_site(markdown, paths.get(place, f"docs/{place}"))
