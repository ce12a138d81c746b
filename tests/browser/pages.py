"""Every page, with who looks at it: what the tests of accessibility and weight go through."""

from dataclasses import dataclass

#: A request of the demonstration in each state, and some that are special. Numbers follow the order of sending.
CLOSED, DECLINED, WITHDRAWN, DUPLICATE, RESOLVED = 2, 9, 10, 20, 25
RECEIVED, IN_REVIEW, MATCHING, OFFERED, IN_PROGRESS = 27, 24, 17, 19, 21
HUB_ONLY, ARABIC, WITH_TASK = 12, 13, 4
#: A reply of the coordinator, and one that was corrected.
REPLY, EDITED = 1, 29


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


def _requests(*numbers: int) -> tuple[str, ...]:
    return tuple(f"/requests/{number}" for number in numbers)


def _parts(number: int, *parts: str) -> tuple[str, ...]:
    return tuple(f"/requests/{number}/{part}" for part in parts)


PLACES = (
    *_for(None, "/", "/login", "/login?failed=expired", "/privacy"),
    *_for(None, "/requests", "/requests?q=nothing-has-these-words", *_requests(CLOSED, DECLINED, IN_PROGRESS, ARABIC)),
    *_for(None, "/experts", "/experts/1", "/requests/new"),
    *_for(None, "/nothing-is-here", *_requests(HUB_ONLY), status=404),
    *_for("asha", "/", "/me", "/inbox", "/me/settings", "/me/profile", "/requests/new", *_requests(CLOSED)),
    *_for("sami", "/me", "/inbox", *_requests(MATCHING, IN_PROGRESS)),
    *_for("kofi", "/me", "/me/profile", "/me/profile/skills", *_requests(MATCHING)),
    *_for("mei", "/queue", "/queue/deliveries", "/committee", "/me", "/inbox", "/requests", "/requests/new?for=other"),
    *_for("mei", *_requests(RECEIVED, IN_REVIEW, MATCHING, OFFERED, IN_PROGRESS, RESOLVED, CLOSED)),
    *_for("mei", *_requests(WITHDRAWN, DUPLICATE, HUB_ONLY, WITH_TASK)),
    *_for("mei", *_parts(RECEIVED, "edit", "receipt", "do/decline", "do/mark_duplicate", "do/resolve")),
    *_for("mei", *_parts(MATCHING, "needs", "task", "do/set_next"), *_parts(WITH_TASK, "task")),
    *_for("mei", f"/replies/{REPLY}/edit", f"/replies/{REPLY}/withdraw", f"/replies/{EDITED}/versions"),
    *_for("lena", "/committee", "/me", *_requests(IN_REVIEW)),
    *_for("blake", "/", "/login/blocked", "/requests/new", *_requests(IN_PROGRESS)),
    *_for("root", "/me", "/admin/roles"),
)
