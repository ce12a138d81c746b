"""Everything here is tested on both databases."""

import pytest


@pytest.fixture
def database_url(engine_url: str) -> str:
    return engine_url
