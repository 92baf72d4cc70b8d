"""The pages of the API reference: one for each public name, and one that lists them."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Packages whose names, those of `__all__`, have a page each.
PACKAGES = {
    "keras_amsgrad": "Optimizers, schedules and the monitor",
    "keras_amsgrad.model_selection": "Searches",
    "keras_amsgrad.replicas": "Replicas",
    "studies": "Studies",
}
# Modules whose functions share a page.
MODULES = {
    "keras_amsgrad.rules": "The update rules, pure functions in the letters of the papers",
    "keras_amsgrad.order": "The order of the training rows",
    "studies.figures": "Figures of the tables of a results folder",
    "studies.lineup": "The problems of the line-up, and how to add one",
}


def path_of(module: str) -> Path:
    """Return the path of a module's file."""
    folder = ROOT / module.replace(".", "/")
    return folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")


def public_names(module: str) -> list[str]:
    """Return the names in `__all__` of a module; without it, those of its functions and classes.

    >>> "AMSGrad" in public_names("keras_amsgrad")
    True
    """
    tree = ast.parse(path_of(module).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) == "__all__":
            return list(ast.literal_eval(node.value))
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def functions_of(module: str) -> list[str]:
    """Return the public names of a module that are functions, which begin with a small letter and are no modules."""
    folder = path_of(module).parent
    return [name for name in public_names(module) if name[0].islower() and not (folder / f"{name}.py").is_file()]


def documented() -> dict[str, list[str]]:
    """Return {package: the full names that have a page}."""
    own = {package: [f"{package}.{name}" for name in public_names(package)] for package in PACKAGES}
    return {package: [name for name in names if name not in MODULES] for package, names in own.items()}


def page_of_name(name: str) -> str:
    """Return the page of a class or function."""
    package, _, own = name.rpartition(".")
    options = "    options:\n      show_root_heading: false\n"
    return f"# {own}\n\n    from {package} import {own}\n\n::: {name}\n{options}"


def page_of_module(module: str) -> str:
    """Return the page of a module with all its public names."""
    members = "".join(f"\n        - {name}" for name in functions_of(module))
    return f"---\ntitle: {module}\n---\n\n::: {module}\n    options:\n      members:{members}\n"


def index() -> str:
    """Return the page that lists all names."""
    lines = ["# API reference", ""]
    for package, names in documented().items():
        lines += [f"## {PACKAGES[package]}", "", f"From `{package}`:", ""]
        lines += [f"* [`{name.rpartition('.')[2]}`]({name}.md)" for name in sorted(names, key=str.lower)]
        lines.append("")
    lines += ["## Modules", "", *(f"* [`{module}`]({module}.md): {words}" for module, words in MODULES.items()), ""]
    return "\n".join(lines)


def pages() -> dict[str, str]:
    """Return {address in the site: text} of all pages of the reference."""
    of_names = {f"api/{name}.md": page_of_name(name) for names in documented().values() for name in names}
    of_modules = {f"api/{module}.md": page_of_module(module) for module in MODULES}
    return {"api/index.md": index(), **of_names, **of_modules}
