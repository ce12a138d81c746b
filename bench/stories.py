"""Invented requests of any number, always the same: what they are made of, and what became of them.

Of every hundred, five are open, anywhere between the oldest and the newest; a few were withdrawn or declined; the
others are closed. Seventeen of twenty are public. A request has eight events on average and three replies; every
fiftieth is long and has 20 events. They were sent evenly over five years up to ``now``.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from bench.words import FREQUENT, ORDINARY, Vocabulary
from cphub.domain.events import EventKind, audience_of
from cphub.domain.lifecycle import OPEN, State, Track, WaitingOn, standing
from cphub.taxonomies import COUNTRIES, KINDS, LANGUAGES, PARTNER_TYPES, SKILLS, STAGES

#: A row: the table's name and the values that are not its defaults.
Row = tuple[str, dict[str, Any]]

#: Ids of people with a part in the measuring. The member is requester, lead or on the team of a few requests.
COORDINATOR, MEMBER, FIRST_STAFF, LAST_STAFF = 1, 2, 3, 18
EXPERTS = range(21, 521)
#: Every so many requests is a long one.
LONG_EVERY = 50
#: The member's requests, of each kind of part.
MEMBERS_SHARE = 20
SPAN = timedelta(days=5 * 365)

_LANGUAGES = ["en"] * 8 + ["fr"] * 5 + ["ar"] * 3 + list(LANGUAGES)[:40]
_COUNTRIES = [code for code in COUNTRIES if code != "global"]
_STATES = {
    State.RECEIVED: 10,
    State.IN_REVIEW: 6,
    State.MATCHING: 10,
    State.IN_PROGRESS: 18,
    State.RESOLVED: 6,
    State.CLOSED: 850,
    State.DECLINED: 60,
    State.WITHDRAWN: 40,
}


@dataclass(slots=True)
class _Ids:
    event: int = 0
    reply: int = 0
    offer: int = 0


@dataclass(slots=True)
class Stories:
    """All rows of a database with ``size`` requests, table by table mixed; ids are given."""

    size: int
    now: datetime
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    _ids: _Ids = field(default_factory=_Ids)

    @property
    def requesters(self) -> range:
        return range(EXPERTS.stop, EXPERTS.stop + max(100, self.size // 4))

    def rows(self) -> Iterator[Row]:
        yield from self._people()
        for number in range(1, self.size + 1):
            yield from self._request(number)

    def _people(self) -> Iterator[Row]:
        long_ago = self.now - SPAN
        for number in range(1, self.requesters.stop):
            yield "person", {"id": number, "central_id": str(9_000_000 + number), "name": f"Invented {number}",
                             "created_at": long_ago, "signed_in_at": long_ago}  # fmt: skip
        for number in (COORDINATOR, *range(FIRST_STAFF, LAST_STAFF + 1)):
            role = "coordinator" if number % 2 else "committee"
            yield "role_grant", {"person_id": number, "role": role, "granted_at": long_ago}
        pick = random.Random(2)  # noqa: S311
        for place, person in enumerate((MEMBER, *EXPERTS), 1):
            yield "expert", {"id": place, "person_id": person, "bio": " ".join(self.vocabulary.words(pick, 30)),
                             "country": pick.choice(_COUNTRIES), "places": pick.randint(1, 6), "published": True,
                             "created_at": long_ago, "updated_at": long_ago}  # fmt: skip
            for skill in pick.sample(list(SKILLS), 5):
                yield "expert_skill", {"expert_id": place, "skill": skill, "level": "known"}
            for language in {"en", pick.choice(_LANGUAGES), pick.choice(_LANGUAGES)}:
                yield "expert_language", {"expert_id": place, "language": language, "level": pick.randint(1, 6)}

    def _request(self, number: int) -> Iterator[Row]:
        pick = random.Random(number)  # noqa: S311
        track = Track.PROJECT if pick.random() < 0.5 else Track.QUESTION
        state = pick.choices(list(_STATES), weights=list(_STATES.values()))[0]
        if state is State.IN_REVIEW:
            track = Track.PROJECT
        requester, lead, coordinator, team = self._who(number, pick, state)
        sent = self.now - SPAN + SPAN * (number / (self.size + 1))
        happened = self._events(number, pick, state, requester=requester, lead=lead, coordinator=coordinator)
        # What is still open was touched lately, but not all of it today.
        last = min(sent + timedelta(days=pick.uniform(1, 60)), self.now - timedelta(seconds=pick.uniform(1, 9e5)))
        last = max(last, sent)
        step = (last - sent) / max(1, len(happened) - 1)
        title, body = self.vocabulary.words(pick, 6), self.vocabulary.words(pick, 60)
        title += [FREQUENT] if number % 10 == 3 else []
        body += [ORDINARY] if number % 500 == 7 else []
        partner = self.vocabulary.words(pick, 3)
        yield "request", {
            "id": number, "key": f"invented-{number}", "requester_id": requester, "track": track,
            "title": " ".join(title), "body": " ".join(body), "language": pick.choice(_LANGUAGES),
            "stage": pick.choice(list(STAGES)), "partner_type": pick.choice(list(PARTNER_TYPES)),
            "partner_name": " ".join(partner), "country": pick.choice(_COUNTRIES),
            "visibility": "hub" if pick.random() < 0.15 else "public", "withhold_partner": pick.random() < 0.1,
            "withhold_country": pick.random() < 0.1, "withhold_name": pick.random() < 0.1, "state": state,
            "outcome": _OUTCOMES.get(state), "lead_id": lead, "coordinator_id": coordinator,
            "version": len(happened) + 1, "created_at": sent, "updated_at": last, "sent_at": sent,
            **self._held(pick, state, lead),
        }  # fmt: skip
        for kind in pick.sample(list(KINDS), pick.choice((1, 1, 2, 3))):
            yield "request_kind", {"request_id": number, "kind": kind}
        tokens = self.vocabulary.document(title + body)
        hidden = self.vocabulary.document(partner)
        yield "request_search", {"request_id": number, "open_tokens": tokens, "all_tokens": f"{tokens} {hidden}"}
        for person in team:
            yield "team_member", {"request_id": number, "person_id": person, "joined_at": last}
        if state is State.MATCHING and number % 2:
            asked = MEMBER if self._members(number, 4) else pick.choice(EXPERTS)
            yield self._offer(number, asked, sent=last)
        if number % 5 == 0:
            yield "task_link", {"request_id": number, "number": 400_000 + number, "phid": f"PHID-TASK-{number}",
                                "title": " ".join(title), "status": "open", "status_name": "Open", "linked_at": last,
                                "seen_at": last}  # fmt: skip
        for place, (kind, actor, payload) in enumerate(happened):
            at = sent + step * place
            if "reply" in payload:
                yield self._reply(number, pick, payload["reply"], author=actor, kind=kind, at=at)
            self._ids.event += 1
            yield "event", {"id": self._ids.event, "request_id": number, "actor_id": actor, "kind": kind,
                            "audience": audience_of(kind), "payload": payload, "at": at}  # fmt: skip
            if kind is EventKind.REQUEST_RECEIVED:
                yield from self._told(number, at)

    def _members(self, number: int, part: int) -> bool:
        """Whether the member plays this part in the request: in a few, however many there are."""
        return number % max(5, self.size // MEMBERS_SHARE) == part

    def _who(self, number: int, pick: random.Random, state: State) -> tuple[int, int | None, int | None, list[int]]:
        requester = MEMBER if self._members(number, 1) else pick.choice(self.requesters)
        staffed = state in (State.IN_PROGRESS, State.RESOLVED, State.CLOSED)
        lead = (MEMBER if self._members(number, 2) else pick.choice(EXPERTS)) if staffed else None
        coordinator = None if state is State.RECEIVED else pick.choice((COORDINATOR, 3, 5, 7, 9))
        team = [MEMBER] if staffed and self._members(number, 3) else []
        return requester, lead, coordinator, team

    def _held(self, pick: random.Random, state: State, lead: int | None) -> dict[str, Any]:
        if state not in OPEN:
            return {}
        then = standing(state, has_lead=lead is not None)
        due: date = (self.now + timedelta(days=pick.randint(-20, 40))).date()
        if state not in (State.RESOLVED, State.RECEIVED) and pick.random() < 0.2:
            return {"waiting_on": WaitingOn.REQUESTER, "next_step": "requester_answers", "due_on": due}
        return {"waiting_on": then.waiting_on, "next_step": then.step, "due_on": due}

    def _events(
        self,
        number: int,
        pick: random.Random,
        state: State,
        *,
        requester: int,
        lead: int | None,
        coordinator: int | None,
    ) -> list[tuple[EventKind, int | None, dict[str, Any]]]:
        """What happened, in order: (kind, actor, payload)."""
        found: list[tuple[EventKind, int | None, dict[str, Any]]] = [(EventKind.REQUEST_RECEIVED, requester, {})]
        if state is not State.RECEIVED:
            found.append((EventKind.REQUEST_TAKEN_ON, coordinator, {}))
        if lead:
            found += [(EventKind.OFFER_SENT, coordinator, {"person": lead}), (EventKind.REQUEST_CLAIMED, lead, {})]
        ending = _ENDINGS.get(state, [])
        said = 20 - len(found) - len(ending) if number % LONG_EVERY == 0 else pick.choice((1, 2, 2, 3, 3, 4))
        helper = lead or coordinator or FIRST_STAFF
        for place in range(said):
            self._ids.reply += 1
            kind = EventKind.NOTE_WRITTEN if place % 5 == 4 else EventKind.REPLY_WRITTEN
            author = requester if place % 2 and kind is EventKind.REPLY_WRITTEN else helper
            found.append((kind, author, {"reply": self._ids.reply}))
        found += [(kind, requester if mine else helper, dict(payload)) for kind, mine, payload in ending]
        for version, (_, _, payload) in enumerate(found, 2):
            if "reply" not in payload:
                payload |= {"version": version, "waiting_on": None}
        return found

    def _reply(
        self, number: int, pick: random.Random, key: int, *, author: int | None, kind: EventKind, at: datetime
    ) -> Row:
        words = self.vocabulary.words(pick, 40)
        body = f"{' '.join(words[:25])}\n\n* *{words[25]}*\n* {' '.join(words[26:])}"
        return "reply", {"id": key, "key": f"said-{key}", "request_id": number, "author_id": author,
                         "audience": audience_of(kind), "body": body, "written_at": at}  # fmt: skip

    def _offer(self, number: int, person: int, *, sent: datetime) -> Row:
        self._ids.offer += 1
        expert = 1 if person == MEMBER else person - EXPERTS.start + 2
        return "offer", {"id": self._ids.offer, "request_id": number, "expert_id": expert,
                         "person_id": person, "sent_by_id": COORDINATOR, "sent_at": sent,
                         "expires_at": sent + timedelta(hours=72)}  # fmt: skip

    def _told(self, number: int, at: datetime) -> Iterator[Row]:
        """Every request is in the coordinator's inbox, the newest unread; and the oldest in the member's."""
        unread = number > self.size - 20
        item = {"event_id": self._ids.event, "reason": "coordinator", "read_at": None if unread else at}
        yield "inbox_item", {"person_id": COORDINATOR, **item}
        if number <= 30:
            yield "inbox_item", {"person_id": MEMBER, **item, "read_at": None if number < 4 else at}


_OUTCOMES = {
    State.RESOLVED: "solved",
    State.CLOSED: "solved",
    State.DECLINED: "declined",
    State.WITHDRAWN: "withdrawn",
}
_RESOLVED = (EventKind.REQUEST_RESOLVED, False, {"outcome": "solved", "summary": "It is done."})
#: State -> what led to it: (kind, whether the requester did it, payload).
_ENDINGS: dict[State, list[tuple[EventKind, bool, dict[str, Any]]]] = {
    State.RESOLVED: [_RESOLVED],
    State.CLOSED: [_RESOLVED, (EventKind.REQUEST_CONFIRMED, True, {})],
    State.DECLINED: [(EventKind.REQUEST_DECLINED, False, {"reason": "No place.", "alternative": "Ask the library."})],
    State.WITHDRAWN: [(EventKind.REQUEST_WITHDRAWN, True, {})],
}
