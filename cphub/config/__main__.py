"""Print ``config.example.yaml``: ``python -m cphub.config > config.example.yaml``."""

from dataclasses import Field, fields
from typing import Any

import yaml

from cphub.config.settings import Settings
from cphub.config.values import Secret

HEAD = """\
# Settings of cphub. Copy what you need into config.yaml, or set it in the environment with TOOL_ before
# the name (TOOL_BASE_URL=...), which counts for more. All are optional; the values shown are the defaults.
"""


def example() -> str:
    """The file's text: every setting with what it is for, commented out, in the order of the table."""
    return HEAD + "".join(map(_entry, fields(Settings)))


def _entry(setting: "Field[Any]") -> str:
    about = setting.metadata["about"].replace("\n", "\n# ")
    otherwise = setting.metadata["otherwise"]
    if otherwise:
        return f"\n# {about}\n# Otherwise: {otherwise}.\n#{setting.name}:\n"
    default = "" if isinstance(setting.default, Secret) else setting.default
    shown = yaml.safe_dump({setting.name: default}, allow_unicode=True).strip()
    return f"\n# {about}\n#{shown}\n"


if __name__ == "__main__":
    print(example(), end="")
