"""Build what goes to PyPI, a wheel and a source archive, and check it: python release/build.py [FOLDER]

The long description is README.md with absolute links and pictures, of the version's tag. The public repository is one
setting: `home` of the section `tool:release` in setup.cfg. Without it links stay relative, and a line says so.

The build runs in a copy of what git has of this folder. FOLDER, by default `dist`, is emptied first.
"""

import argparse
import configparser
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^\]]*)\]\((?P<path>[^)#:]+)(?P<anchor>#[^)]*)?\)")


def absolute(page: str, home: str, tag: str) -> str:
    """Return a page with its relative links made absolute: files as they are at the tag, pictures as raw files.

    >>> absolute("[the rules](docs/rules.md#adam), ![a path](a.png)", "https://example.org/me/it", "v1.0")
    '[the rules](https://example.org/me/it/blob/v1.0/docs/rules.md#adam), ![a path](https://example.org/me/it/raw/v1.0/a.png)'
    """

    def replaced(link: re.Match[str]) -> str:
        kind = "raw" if link["picture"] else "blob"
        return f"{link['picture']}[{link['text']}]({home}/{kind}/{tag}/{link['path']}{link['anchor'] or ''})"

    return LINK.sub(replaced, page)


def from_the_index(page: str) -> str:
    """Return a page that installs from the package index what the page installs from a copy of this folder.

    Studies run from such a copy: what is installed with `--editable` stays.

    >>> from_the_index('    pip install ".[jax]"    # in a copy of this repository')
    '    pip install "keras_amsgrad[jax]"'
    >>> from_the_index('    pip install --editable ".[studies]"')
    '    pip install --editable ".[studies]"'
    """
    page = re.sub(r'(pip install ".*?") +# in a copy of this repository', r"\1", page)
    return re.sub(r'(?<!--editable )"\.\[', '"keras_amsgrad[', page)


def with_addresses(settings: str, home: str, tag: str) -> str:
    """Return the text of setup.cfg with the addresses of the project.

    >>> print(with_addresses("[metadata]\\nname = it", "https://example.org/me/it", "v1.0"))
    [metadata]
    url = https://example.org/me/it
    project_urls =
        Documentation = https://example.org/me/it/blob/v1.0/docs/index.md
        Changelog = https://example.org/me/it/blob/v1.0/CHANGELOG.md
        Issues = https://example.org/me/it/issues
    name = it
    """
    pages = {"Documentation": f"blob/{tag}/docs/index.md", "Changelog": f"blob/{tag}/CHANGELOG.md", "Issues": "issues"}
    lines = [f"    {name} = {home}/{path}" for name, path in pages.items()]
    return settings.replace("[metadata]\n", "\n".join(["[metadata]", f"url = {home}", "project_urls =", *lines, ""]))


def version() -> str:
    """Return the version, whose one place is keras_amsgrad/__init__.py."""
    return re.findall(r'^__version__ = "(.+)"$', (ROOT / "keras_amsgrad" / "__init__.py").read_text(), re.MULTILINE)[0]


def copy_for_release(folder: Path, home: str) -> None:
    """Write into a folder what git has of this one, with the long description and the addresses of a release."""
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["xargs", "-0", "cp", "--parents", "-t", folder], cwd=ROOT, input=files, check=True)
    readme, settings, tag = folder / "README.md", folder / "setup.cfg", f"v{version()}"
    page = from_the_index(readme.read_text(encoding="utf-8"))
    readme.write_text(absolute(page, home, tag) if home else page, encoding="utf-8")
    if home:
        settings.write_text(with_addresses(settings.read_text(encoding="utf-8"), home, tag), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "dist", metavar="FOLDER")
    target = parser.parse_args().folder.resolve()
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    home = settings["tool:release"]["home"].rstrip("/")
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        copy_for_release(Path(folder), home)
        subprocess.run([sys.executable, "-m", "build", "--outdir", target, folder], check=True)
    built = sorted(target.iterdir())
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *built], check=True)
    print(*built, sep="\n")
    if not home:
        print("Links of the long description are relative: setup.cfg, [tool:release], names no home.", file=sys.stderr)


if __name__ == "__main__":
    main()
