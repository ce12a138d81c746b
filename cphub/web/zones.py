"""Time zones to choose from: one for all places whose clocks agree from now on, so that the list stays short."""

from datetime import date, datetime
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from cphub import clock
from cphub.i18n import Speaker

Options = list[tuple[str, str]]


def options(speaker: Speaker, chosen: str | None = None) -> Options:
    """From west to east, in the reader's words. ``chosen``: a zone of finer division that somebody has already."""
    now = clock.now()
    listed = _options(speaker, now.date())
    if not chosen or any(zone == chosen for zone, _ in listed):
        return listed
    return [(chosen, speaker.zone_name(chosen, now)), *listed]


@lru_cache(maxsize=1)
def _zones() -> list[str]:
    # The zones and their names are those of the pinned package, whatever the machine has.
    lines = files("tzdata.zoneinfo").joinpath("zonenow.tab").read_text(encoding="utf-8").splitlines()
    return [line.split("\t")[2] for line in lines if line and not line.startswith("#")]


@lru_cache(maxsize=64)
def _options(speaker: Speaker, today: date) -> Options:
    def east(zone: str) -> float:
        offset = noon.astimezone(ZoneInfo(zone)).utcoffset()
        return offset.total_seconds() if offset else 0

    noon = datetime(today.year, today.month, today.day, 12, tzinfo=ZoneInfo("UTC"))
    return [(zone, speaker.zone_name(zone, noon)) for zone in sorted(_zones(), key=east)]
