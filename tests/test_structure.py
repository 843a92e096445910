"""The limits of CONTRIBUTING.md that no linter knows: files, functions and packages stay small."""

import ast
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILE_LINES = 350
FUNCTION_LINES = 40
MODULES = 16
OTHERS = {"tests", "benchmarks", "scripts", "migrations"}


def product_code() -> list[Path]:
    files = [path for top in ROOT.glob("*/__init__.py") for path in top.parent.rglob("*.py")]
    names = [path.relative_to(ROOT) for path in files]
    return [name for name in names if not OTHERS.intersection(name.parts)]


def test_files_are_small() -> None:
    lengths = {name: len((ROOT / name).read_text().splitlines()) for name in product_code()}

    assert {name: length for name, length in lengths.items() if length > FILE_LINES} == {}


def test_functions_are_small() -> None:
    long = [
        f"{name}:{node.lineno} {node.name}"
        for name in product_code()
        for node in ast.walk(ast.parse((ROOT / name).read_text()))
        if isinstance(node, ast.FunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES
    ]

    assert long == []


def test_packages_are_small() -> None:
    modules = Counter(name.parent for name in product_code() if name.name != "__init__.py")

    assert {package: count for package, count in modules.items() if count > MODULES} == {}
