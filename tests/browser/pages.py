"""Every page, with who looks at it: what the tests of accessibility and weight go through."""

from dataclasses import dataclass

#: A request of the demonstration in each state, and some that are special. Numbers follow the order of sending.
CLOSED, DECLINED, WITHDRAWN, DUPLICATE, RESOLVED = 2, 9, 10, 20, 25
RECEIVED, IN_REVIEW, MATCHING, OFFERED, IN_PROGRESS = 27, 24, 17, 19, 21
HUB_ONLY, ARABIC, WITH_TASK = 12, 13, 4


@dataclass(frozen=True, slots=True)
class Place:
    """An address as somebody sees it; ``who`` is a persona, or None for everybody who is not signed in."""

    who: str | None
    path: str
    status: int = 200

    def __str__(self) -> str:
        return f"{self.who or 'nobody'} {self.path}"


def _for(who: str | None, *paths: str, status: int = 200) -> tuple[Place, ...]:
    return tuple(Place(who, path, status) for path in paths)


PLACES = (
    *_for(None, "/", "/login", "/login?failed=expired", "/privacy"),
    *_for(None, "/requests", "/requests?q=nothing-has-these-words", f"/requests/{CLOSED}", f"/requests/{DECLINED}"),
    *_for(None, f"/requests/{IN_PROGRESS}", f"/requests/{ARABIC}", "/experts", "/experts/1", "/requests/new"),
    *_for(None, "/nothing-is-here", f"/requests/{HUB_ONLY}", status=404),
    *_for("asha", "/", "/me", "/inbox", "/me/settings", "/me/profile", "/requests/new", f"/requests/{CLOSED}"),
    *_for("sami", "/me", "/inbox", f"/requests/{MATCHING}", f"/requests/{IN_PROGRESS}"),
    *_for("kofi", "/me", "/me/profile", f"/requests/{MATCHING}", f"/requests/{IN_PROGRESS}"),
    *_for(
        "mei",
        "/queue",
        "/queue/deliveries",
        f"/requests/{RECEIVED}/edit",
        f"/requests/{RECEIVED}/receipt",
        "/me",
        "/inbox",
        "/requests",
        "/experts",
        "/requests/new?for=other",
    ),
    *(Place("mei", f"/requests/{number}") for number in (RECEIVED, IN_REVIEW, MATCHING, OFFERED, IN_PROGRESS)),
    *(Place("mei", f"/requests/{number}") for number in (RESOLVED, CLOSED, WITHDRAWN, DUPLICATE, HUB_ONLY, WITH_TASK)),
    *_for("lena", "/me", f"/requests/{IN_REVIEW}"),
    *_for("blake", "/", "/login/blocked", "/requests/new", f"/requests/{IN_PROGRESS}"),
    *_for("root", "/me", "/admin/roles"),
)
