"""The demonstration's data fits together, and each story could really have happened."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cphub import demo
from cphub.domain.lifecycle import (
    CHOSEN_OUTCOMES,
    CONFIRM_DAYS,
    OFFER_LIFE,
    Holding,
    Outcome,
    Part,
    Situation,
    State,
    Track,
    Verb,
    WaitingOn,
    move,
    needs,
    verbs,
)
from cphub.domain.matching.values import NATIVE, PLACES, SkillLevel, Weight
from cphub.domain.offers import OfferReason
from cphub.taxonomies import (
    COUNTRIES,
    JUSTIFICATION,
    KINDS,
    LANGUAGES,
    MISSING_SERVICES,
    PARTNER_TYPES,
    SKILLS,
    STAGES,
)

PEOPLE = {person["id"]: person for person in demo.people()}
EXPERTS = {expert["person"]: expert for expert in demo.experts()}
REQUESTS = demo.requests()
#: Title of a request -> who joined it because their own turned out to ask the same.
JOINED = {
    REQUESTS[step["duplicate_of"]]["title"]: {entry["requester"]}
    for entry in REQUESTS.values()
    for step in entry["story"]
    if step["do"] == "mark_duplicate"
}
TASKS = {task["number"]: task for task in demo.tasks()}
TODAY = datetime(2030, 1, 1, 12, tzinfo=UTC)

#: What the domain calls a field of a verb -> what a step of a story calls it.
WORDS = {"body": "text", "offer_reason": "reason", "due_on": "due_in"}


def test_people_are_known_by_ids_of_their_own() -> None:
    accounts = [person["central_id"] for person in PEOPLE.values() if person["group"] != "guest"]
    assert all(isinstance(account, str) and account.isdecimal() for account in accounts)
    names = [person["name"] for person in demo.people()]
    for values in ([person["id"] for person in demo.people()], accounts, names):
        assert [value for value, count in Counter(values).items() if count > 1] == []


@pytest.mark.parametrize("person", PEOPLE.values(), ids=PEOPLE)
def test_people_live_somewhere_and_speak_something(person: demo.Data) -> None:
    assert person["language"] in LANGUAGES
    assert person["country"] in COUNTRIES
    assert ZoneInfo(person["time_zone"]).key
    assert set(person.get("roles", ())) <= {"coordinator", "committee", "admin"}


def test_names_come_in_many_scripts_and_some_have_spaces() -> None:
    scripts = {next(char for char in person["name"] if char.isalpha()) for person in PEOPLE.values()}
    beyond_latin = {char for char in scripts if ord(char) > 0x24F}
    assert len(beyond_latin) >= 12
    assert any(" " in person["name"] for person in PEOPLE.values())


@pytest.mark.parametrize("expert", EXPERTS.values(), ids=EXPERTS)
def test_profiles_use_the_vocabularies(expert: demo.Data) -> None:
    assert expert["person"] in PEOPLE
    assert expert["bio"].strip()
    assert set(expert["skills"]) <= set(SKILLS)
    assert set(expert["skills"].values()) <= set(SkillLevel)
    assert set(expert["languages"]) <= set(LANGUAGES)
    assert all(0 <= level <= NATIVE for level in expert["languages"].values())
    assert NATIVE in expert["languages"].values()
    assert 1 <= expert["places"] <= 8
    for link in expert.get("links", ()):
        assert link["url"].startswith("https://example.org/")
        assert link["title"].strip()


def test_registry_has_thirty_profiles_three_of_organisations_two_unpublished() -> None:
    assert len(EXPERTS) == len(demo.experts()) == 30
    assert sum("organisation" in expert for expert in EXPERTS.values()) == 3
    assert sum(not expert.get("published", True) for expert in EXPERTS.values()) == 2


@pytest.mark.parametrize("request_data", REQUESTS.values(), ids=REQUESTS)
def test_requests_use_the_vocabularies(request_data: demo.Data) -> None:
    assert Track(request_data["track"])
    assert request_data["requester"] in PEOPLE
    assert 0 < len(request_data["title"]) <= 255
    assert len(request_data["body"]) > 150
    assert set(request_data["kinds"]) <= set(KINDS)
    assert request_data["stage"] in STAGES
    assert request_data["partner_type"] in PARTNER_TYPES
    assert request_data["country"] in {*COUNTRIES, None}
    assert {request_data["language"], *request_data["reply_languages"]} <= set(LANGUAGES)
    assert request_data["visibility"] in {"public", "hub"}
    assert set(request_data.get("justification", {})) <= set(JUSTIFICATION)
    assert request_data["track"] == Track.PROJECT or "justification" not in request_data


def test_the_set_shows_the_hub_from_many_sides() -> None:
    assert len(REQUESTS) >= 24
    assert len({entry["language"] for entry in REQUESTS.values()}) >= 15
    assert {entry["expect"]["state"] for entry in REQUESTS.values()} == {state.value for state in State}
    assert {entry["visibility"] for entry in REQUESTS.values()} == {"public", "hub"}
    for flag in ("withhold_partner", "withhold_country", "withhold_name"):
        assert any(entry.get(flag) for entry in REQUESTS.values())
    assert any(entry.get("entered_by") for entry in REQUESTS.values())


def test_requests_stand_in_the_order_in_which_they_were_sent() -> None:
    sent = [entry["story"][0]["day"] for entry in REQUESTS.values() if entry["story"]]
    assert sent == sorted(sent)
    assert all(not entry["story"] for entry in list(REQUESTS.values())[len(sent) :])


@dataclass(slots=True)
class Play:
    """A story being told against the domain's table."""

    request: demo.Data
    state: State = State.DRAFT
    waiting_on: WaitingOn | None = None
    outcome: str | None = None
    lead: str | None = None
    weight: Weight = Weight.M
    team: set[str] = field(default_factory=set)
    offers: dict[str, int] = field(default_factory=dict)
    replies: dict[str, str] = field(default_factory=dict)
    led_from: int = 0
    led_to: int = 0
    """Days on which the lead began and was done; 0, today, while the work goes on."""

    def parts(self, who: str) -> set[Part]:
        person, found = PEOPLE[who], set()
        if who in {self.request["requester"], self.request.get("entered_by")} and (
            who == self.request["requester"] or self.state is State.DRAFT
        ):
            found.add(Part.REQUESTER)
        for part, holds in {
            Part.LEAD: who == self.lead,
            Part.TEAM: who in self.team,
            Part.JOINED: who in JOINED.get(self.request["title"], ()),
            Part.OFFERED: who in self.offers,
            Part.EXPERT: who in EXPERTS and EXPERTS[who].get("published", True),
            Part.COORDINATOR: "coordinator" in person.get("roles", ()),
            Part.COMMITTEE: "committee" in person.get("roles", ()),
        }.items():
            if holds and Part.REQUESTER not in found:
                found.add(part)
        return found

    def situation(self) -> Situation:
        track = Track(self.request["track"])
        return Situation(self.state, track, self.waiting_on, self.lead is not None, len(self.offers))

    def step(self, step: demo.Data) -> None:
        who = str(step.get("by") or self.request["requester"])
        parts = self.parts(who)
        assert parts, f"{who} has no part in this"
        if step["do"] in demo.EXTRA_STEPS:
            self._extra(step, who, parts)
        else:
            self._verb(Verb(step["do"]), step, who, parts)

    def _extra(self, step: demo.Data, who: str, parts: set[Part]) -> None:
        staff = parts & {Part.LEAD, Part.COORDINATOR}
        match step["do"]:
            case "reply":
                assert step["text"].strip()
                if "id" in step:
                    self.replies[step["id"]] = who
                if Verb.ANSWER in verbs(self.situation(), parts):
                    self._verb(Verb.ANSWER, step, who, parts)
            case "note":
                assert step["text"].strip()
                assert staff or Part.TEAM in parts
            case "edit_reply" | "withdraw_reply":
                assert self.replies[step["reply"]] == who
                assert step["do"] == "withdraw_reply" or step["text"].strip()
            case "add_team":
                assert staff
                assert step["role"] in {"expert", "bridge", "apprentice"}
                assert step["person"] in PEOPLE
                self.team.add(step["person"])
            case "set_needs":
                assert Part.COORDINATOR in parts
                assert set(step["skills"]) <= set(SKILLS)
                self.weight = Weight(step["weight"])
            case "create_task":
                assert staff
                assert step["title"].isascii()
            case "link_task":
                assert staff
                assert step["task"] in TASKS

    def _verb(self, verb: Verb, step: demo.Data, who: str, parts: set[Part]) -> None:
        if verb is not Verb.SEND:
            missing = [name for name in needs(verb) if not step.get(WORDS.get(name, name))]
            assert missing == []
        day, chosen = step["day"], None
        if verb is Verb.SET_NEXT:
            due = (TODAY + timedelta(days=day + step["due_in"])).date()
            chosen = Holding(WaitingOn(step["waiting_on"]), "text", due, step["next_step_text"])
        if verb is Verb.OFFER:
            expert = EXPERTS[step["expert"]]
            assert expert.get("published", True)
            assert "away_days" not in expert
            self.offers[step["expert"]] = day
        if verb in (Verb.ACCEPT, Verb.DECLINE_OFFER):
            assert timedelta(days=day - self.offers[who]) < OFFER_LIFE
        if verb is Verb.DECLINE_OFFER:
            assert step["reason"] in set(OfferReason)
            del self.offers[who]
        if verb is Verb.RESOLVE:
            outcome = Outcome(step["outcome"])
            more = CHOSEN_OUTCOMES[outcome]
            assert more is None or step[more]
            assert step.get("missing_service", "other") in MISSING_SERVICES
            self.led_to = day
        if verb is Verb.CONFIRM:
            assert day - self.led_to < CONFIRM_DAYS
        if verb is Verb.MARK_DUPLICATE:
            assert step["duplicate_of"] in REQUESTS
        change = move(self.situation(), verb, parts, now=TODAY + timedelta(days=day), chosen=chosen)
        self.state = change.state
        if not change.keeps_holding:
            self.waiting_on = change.holding.waiting_on if change.holding else None
        if verb in (Verb.ACCEPT, Verb.CLAIM):
            self.lead, self.led_from, self.offers = who, day, {}
        if verb is Verb.REOPEN:
            self.outcome = None
        self.outcome = step.get("outcome") or change.outcome or self.outcome


def played(request_data: demo.Data) -> Play:
    play = Play(request_data)
    for step in request_data["story"]:
        play.step(step)
    return play


@pytest.mark.parametrize("request_data", REQUESTS.values(), ids=REQUESTS)
def test_story_can_be_played_and_ends_as_expected(request_data: demo.Data) -> None:
    days = [step["day"] for step in request_data["story"]]
    assert days == sorted(days)
    assert all(day < 0 for day in days)
    play = played(request_data)
    expect = request_data["expect"]
    assert play.state == expect["state"]
    assert play.outcome == expect.get("outcome")
    assert play.lead == expect.get("lead")
    if "waiting_on" in expect:
        assert play.waiting_on == expect["waiting_on"]


def test_nobody_leads_more_than_they_have_places_for() -> None:
    cases = [play for play in map(played, REQUESTS.values()) if play.lead]
    for case in cases:
        same_time = [c for c in cases if c.lead == case.lead and c.led_from <= case.led_from <= c.led_to]
        assert sum(PLACES[c.weight] for c in same_time) <= EXPERTS[str(case.lead)]["places"], case.lead


def test_nobody_is_asked_about_a_partner_they_have_a_conflict_with() -> None:
    for entry in REQUESTS.values():
        for step in entry["story"]:
            if step["do"] == "offer":
                assert entry["partner_name"] not in EXPERTS[step["expert"]].get("conflicts", ())


def test_duplicate_stands_beside_a_request_of_the_same_place() -> None:
    for entry in REQUESTS.values():
        for step in entry["story"]:
            if step["do"] == "mark_duplicate":
                target = REQUESTS[step["duplicate_of"]]
                assert target["country"] == entry["country"]
                assert target["expect"]["state"] not in {"draft", "duplicate"}
