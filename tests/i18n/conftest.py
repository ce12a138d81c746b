"""Catalogues made for one test."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cphub.i18n import Catalogue

Write = Callable[[Mapping[str, object]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes files of messages, given as {"subject/code": messages or raw text}, and returns their folder."""

    def _write(files: Mapping[str, object]) -> Path:
        for name, content in files.items():
            path = tmp_path / f"{name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return tmp_path

    return _write


@pytest.fixture(scope="session")
def shipped() -> Catalogue:
    return Catalogue.load()
