"""The result, as a table for people and as JSON for programs."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.measure import Key, Times
from bench.statements import Sent


@dataclass(frozen=True, slots=True)
class Result:
    """``sent``: (size, action) -> what the page sends to the database."""

    sizes: list[int]
    actions: list[str]
    times: dict[Key, Times]
    sent: dict[tuple[int, str], Sent]

    def p50(self, size: int, action: str, way: str) -> float:
        return self.times[Key(size, action, way)].p50

    def growth(self, action: str) -> float:
        """How much longer it takes in the largest database than in the smallest."""
        return self.p50(self.sizes[-1], action, "app") / self.p50(self.sizes[0], action, "app")

    def record(self, size: int, action: str) -> dict[str, Any]:
        times = {way: self.times[Key(size, action, way)] for way in ("app", "floor", "sql")}
        sent = self.sent[size, action]
        return {
            "size": size,
            "action": action,
            **{f"{way}_{name}_ms": round(getattr(t, name), 2) for way, t in times.items() for name in ("p50", "p95")},
            "ratio": round(times["app"].p50 / times["floor"].p50, 2),
            "statements": len(sent.statements),
            "rows_read": sent.rows_read,
            "samples": len(times["app"].taken),
        }


_HEAD = ("action", "requests", "app ms", "p95", "floor ms", "ratio", "raw SQL ms", "statements", "rows read", "growth")


def table(result: Result) -> str:
    """One line an action and size, in Markdown."""
    rows = [_HEAD, tuple("-" if place == 0 else "-:" for place in range(len(_HEAD)))]
    for action in result.actions:
        for size in result.sizes:
            r = result.record(size, action)
            growth = f"{result.growth(action):.2f}" if size == result.sizes[-1] and len(result.sizes) > 1 else ""
            rows.append(
                (
                    action if size == result.sizes[0] else "", f"{size:,}", f"{r['app_p50_ms']:.1f}",
                    f"{r['app_p95_ms']:.1f}", f"{r['floor_p50_ms']:.1f}", f"{r['ratio']:.1f}", f"{r['sql_p50_ms']:.1f}",
                    str(r["statements"]), str(r["rows_read"]), growth,
                )
            )  # fmt: skip
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [
        cell.ljust(w) if place == 0 else cell.rjust(w) for place, (cell, w) in enumerate(zip(row, widths, strict=True))
    ]
    if row[0] == "-":
        cells = ["-" * widths[0], *("-" * (w - 1) + ":" for w in widths[1:])]
    return f"| {' | '.join(cells)} |"


def write(result: Result, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    records = [result.record(size, action) for action in result.actions for size in result.sizes]
    path.write_text(json.dumps({"results": records}, indent="\t") + "\n")
