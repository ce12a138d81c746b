"""`python -m cphub.i18n check`: prints what is wrong with the messages; the exit code says whether anything is."""

from __future__ import annotations

import sys

from cphub.i18n.check import problems


def main(arguments: list[str]) -> int:
    if arguments != ["check"]:
        print("usage: python -m cphub.i18n check", file=sys.stderr)
        return 2
    found = problems()
    for problem in found:
        print(problem)
    print(f"{len(found)} problems" if found else "messages: well")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
