"""The house in order: each module has its file of tests, and each package is shipped."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
HALVES = ("feed", "top", "tui")
EXEMPT = ("__init__.py", "__main__.py")

LINES = 3
"""A module with a function whose body has more lines than this is tested in a file of its own."""

WITHOUT_TESTS: frozenset[str] = frozenset({})

FILE_LINES, CLASS_LINES = 400, 300
FUNCTION_LINES = 40
"""A function with more says why in a comment before its first statement."""


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines a function has from its first statement to its last.

    Not counted: decorators, the lines of its ``def``, its docstring, and comments before the first
    statement. Counted: blank lines and comments in between, and all lines of functions inside it.
    """
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if not body:
        return 0
    last = body[-1].end_lineno
    assert last is not None
    return last - _first_line(body[0]) + 1


def _first_line(statement: ast.stmt) -> int:
    decorators = getattr(statement, "decorator_list", [])
    return (
        min(statement.lineno, *(one.lineno for one in decorators))
        if decorators
        else (statement.lineno)
    )


def has_something_to_test(code: str) -> bool:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return any(
        body_lines(one) > LINES for one in ast.walk(ast.parse(code)) if isinstance(one, functions)
    )


def modules() -> Iterator[Path]:
    for half in HALVES:
        for path in sorted((ROOT / half).rglob("*.py")):
            if path.name not in EXEMPT:
                yield path.relative_to(ROOT)


def file_of_tests(module: Path) -> Path:
    return Path("tests") / module.parent / f"test_{module.name}"


def test_each_module_has_its_file_of_tests() -> None:
    without = {
        str(module)
        for module in modules()
        if has_something_to_test((ROOT / module).read_text())
        and not (ROOT / file_of_tests(module)).exists()
    }
    assert not without - WITHOUT_TESTS, "write these modules' tests in tests/PACKAGE/test_MODULE.py"
    assert not WITHOUT_TESTS - without, "these have tests now: take them out of WITHOUT_TESTS"


def test_nothing_is_too_long_to_be_read() -> None:
    long = []
    for module in modules():
        code = (ROOT / module).read_text()
        lines = code.splitlines()
        if len(lines) > FILE_LINES:
            long.append(f"{module}: {len(lines)} lines, at most {FILE_LINES}")
        for one in ast.walk(ast.parse(code)):
            if isinstance(one, ast.ClassDef):
                size = (one.end_lineno or 0) - one.lineno + 1
                if size > CLASS_LINES:
                    long.append(f"{module}: class {one.name} {size} lines, at most {CLASS_LINES}")
            elif isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
                body = one.body[1:] if ast.get_docstring(one) is not None else one.body
                is_long = body_lines(one) > FUNCTION_LINES
                if is_long and not lines[_first_line(body[0]) - 2].lstrip().startswith("#"):
                    long.append(f"{module}: {one.name} does not say why it is so long")
    assert not long, "\n".join(long)


def test_lines_of_a_body_are_counted() -> None:
    code = '''
@decorated
def one(
    a, b
):
    """Three lines
    of words.
    """
    # A comment.
    x = (
        a
    )

    return x

def nothing():
    """Only words."""

class Thing:
    async def other(self):
        def inner():
            return 1
        return inner
'''
    functions = [
        one
        for one in ast.walk(ast.parse(code))
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    lines = {one.name: body_lines(one) for one in functions}
    assert lines == {"one": 5, "nothing": 0, "other": 3, "inner": 1}
    assert has_something_to_test(code)
    assert not has_something_to_test(code.replace("\n    return x", ""))


def test_the_packages_that_are_shipped_are_those_there_are() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = settings["package-dir"]
    there = {
        ".".join((package, *init.parent.relative_to(ROOT / folder).parts))
        for package, folder in folders.items()
        for init in (ROOT / folder).rglob("__init__.py")
    }
    assert sorted(settings["packages"]) == sorted(there)
    assert set(folders.values()) == set(HALVES)
    # What has modules is a package: else it would not be shipped, and nobody would say so.
    assert {path.parent for path in modules()} <= {
        path.parent.relative_to(ROOT)
        for half in HALVES
        for path in (ROOT / half).rglob("__init__.py")
    }
