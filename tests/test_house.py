"""The house: a file of tests for each module of the package, where one would look for it."""

from __future__ import annotations

from pathlib import Path

import pytest

import target_applied_events

PACKAGE = Path(target_applied_events.__file__).parent
TESTS = Path(__file__).parent
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if not path.stem.startswith("__"))


def kept_at(module: Path) -> list[Path]:
    """List where the tests of a module may be: in its package's folder, or by its full name beside what they need."""
    name, package = module.stem, module.parent.name
    names = (
        (f"test_{name}.py",)
        if not package
        else (f"test_{name}_{package.removesuffix('s')}.py", f"test_{package}_{name}.py")
    )
    beside = [TESTS / folder / file for folder in ("with_sandbox", "with_postgres") for file in names]
    return [TESTS / module.with_name(f"test_{name}.py"), *beside]


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_each_module_has_a_file_of_tests(module: Path) -> None:
    assert any(path.exists() for path in kept_at(module)), f"no tests/{module.with_name(f'test_{module.stem}.py')}"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_no_module_is_longer_than_250_lines(module: Path) -> None:
    assert len((PACKAGE / module).read_text().splitlines()) <= 250, "what has grown out of its room gets one"
