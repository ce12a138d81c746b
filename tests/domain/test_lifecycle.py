"""The life of a request: who may do what when, and that an open request is never without somebody who holds it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cphub.domain import lifecycle
from cphub.domain.lifecycle import (
    MOVES,
    OPEN,
    PATH,
    WORKING,
    Change,
    Holding,
    Part,
    Situation,
    State,
    Track,
    Verb,
    WaitingOn,
    move,
    needs,
    primary,
    verbs,
)
from cphub.errors import Conflict

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
CHOSEN = Holding(WaitingOn.PARTNER, "text", date(2026, 12, 1), "signs the letter")
CHOICES = [Holding(holder, "text", date(2026, 12, 1), "signs the letter") for holder in WaitingOn]
EVERYBODY = frozenset(Part)

#: Verb -> part -> states in which it may be used, written down a second time and by hand.
ALLOWED: dict[Verb, dict[Part, set[State]]] = {
    Verb.SEND: {Part.REQUESTER: {State.DRAFT}},
    Verb.REVIEW: {Part.COORDINATOR: {State.RECEIVED}},
    Verb.TAKE_ON: {Part.COORDINATOR: {State.RECEIVED}},
    Verb.APPROVE: {Part.COORDINATOR: {State.IN_REVIEW}, Part.COMMITTEE: {State.IN_REVIEW}},
    Verb.ASK: {part: set(WORKING) for part in (Part.LEAD, Part.TEAM, Part.COORDINATOR, Part.COMMITTEE)},
    Verb.ANSWER: {Part.REQUESTER: set(WORKING)},
    Verb.SET_NEXT: {part: set(WORKING) for part in (Part.LEAD, Part.COORDINATOR)},
    Verb.OFFER: {Part.COORDINATOR: {State.MATCHING}},
    Verb.ACCEPT: {Part.OFFERED: {State.MATCHING}},
    Verb.DECLINE_OFFER: {Part.OFFERED: {State.MATCHING}},
    Verb.WITHDRAW_OFFER: {Part.COORDINATOR: {State.MATCHING}},
    Verb.EXPIRE_OFFER: {Part.SYSTEM: {State.MATCHING}},
    Verb.CLAIM: {Part.EXPERT: {State.MATCHING, State.RECEIVED}},
    Verb.RELEASE: {part: {State.IN_PROGRESS} for part in (Part.LEAD, Part.COORDINATOR)},
    Verb.RESOLVE: {
        Part.LEAD: {State.IN_PROGRESS},
        Part.COORDINATOR: {State.RECEIVED, State.MATCHING, State.IN_PROGRESS},
    },
    Verb.CONFIRM: {part: {State.RESOLVED} for part in (Part.REQUESTER, Part.COORDINATOR)},
    Verb.LAPSE: {Part.SYSTEM: {State.RESOLVED}},
    Verb.REOPEN: {part: {State.RESOLVED, State.CLOSED} for part in (Part.REQUESTER, Part.COORDINATOR)},
    Verb.WITHDRAW: {part: set(WORKING) for part in (Part.REQUESTER, Part.COORDINATOR)},
    Verb.DECLINE: {Part.COORDINATOR: set(WORKING), Part.COMMITTEE: {State.IN_REVIEW}},
    Verb.MARK_DUPLICATE: {Part.COORDINATOR: set(WORKING)},
    Verb.REINSTATE: {
        Part.COORDINATOR: {State.WITHDRAWN, State.DECLINED, State.DUPLICATE},
        Part.REQUESTER: {State.WITHDRAWN},
    },
}
#: Verbs of one track only; a question can also be claimed before anybody has looked at it.
TRACKS = {Verb.REVIEW: Track.PROJECT, Verb.TAKE_ON: Track.QUESTION}


def may_use(verb: Verb, part: Part, situation: Situation) -> bool:
    """What the tables above say."""
    if situation.state not in ALLOWED[verb].get(part, set()):
        return False
    if situation.track is not TRACKS.get(verb, situation.track):
        return False
    if verb is Verb.CLAIM and situation.state is State.RECEIVED and situation.track is Track.PROJECT:
        return False
    if verb is Verb.ANSWER:
        return situation.waiting_on is WaitingOn.REQUESTER
    if verb in (Verb.CLAIM, Verb.ACCEPT, Verb.OFFER):
        return not situation.has_lead
    return verb is not Verb.RELEASE or situation.has_lead


def situations() -> Iterator[Situation]:
    for state, track, waiting, lead, offers in product(State, Track, (None, *WaitingOn), (False, True), (0, 1)):
        yield Situation(state, track, waiting, lead, offers)


@pytest.mark.parametrize("part", Part)
@pytest.mark.parametrize("verb", Verb)
def test_only_the_table_says_who_may_do_what(verb: Verb, part: Part) -> None:
    for situation in situations():
        assert (verb in verbs(situation, {part})) == may_use(verb, part, situation), situation


@pytest.mark.parametrize("verb", Verb)
def test_what_is_not_offered_is_refused(verb: Verb) -> None:
    for situation, part in product(situations(), Part):
        if verb in verbs(situation, {part}):
            move(situation, verb, {part}, now=NOW, chosen=CHOSEN)
        else:
            with pytest.raises(Conflict) as refused:
                move(situation, verb, {part}, now=NOW, chosen=CHOSEN)
            assert refused.value.facts == {"state": situation.state, "verb": verb}


def test_nobody_without_a_part_may_do_anything() -> None:
    assert not any(verbs(situation, frozenset()) for situation in situations())


def after(situation: Situation, verb: Verb, change: Change, *, offers: int) -> Situation:
    """The situation a service would find next."""
    has_lead = verb in (Verb.ACCEPT, Verb.CLAIM) or (situation.has_lead and verb not in lifecycle.FREES_LEAD)
    held = situation.waiting_on if change.keeps_holding else change.holding.waiting_on if change.holding else None
    in_matching = change.state is State.MATCHING
    return Situation(change.state, situation.track, held, has_lead, offers if in_matching else 0)


def steps(situation: Situation) -> Iterator[tuple[Verb, Situation, Change]]:
    """Every step anybody can take from here."""
    for verb in verbs(situation, EVERYBODY):
        offers = situation.offers
        if verb in (Verb.DECLINE_OFFER, Verb.WITHDRAW_OFFER, Verb.EXPIRE_OFFER, Verb.ACCEPT):
            if not offers:
                continue
            offers -= 1
        left = Situation(situation.state, situation.track, situation.waiting_on, situation.has_lead, offers)
        for chosen in CHOICES if verb is Verb.SET_NEXT else (None,):
            change = move(left, verb, EVERYBODY, now=NOW, chosen=chosen)
            yield verb, after(situation, verb, change, offers=min(2, offers + (verb is Verb.OFFER))), change


def reachable(track: Track) -> dict[Situation, list[tuple[Verb, Situation, Change]]]:
    """Everything that can come of a draft, with the steps that lead on."""
    found: dict[Situation, list[tuple[Verb, Situation, Change]]] = {}
    waiting = [Situation(State.DRAFT, track)]
    while waiting:
        here = waiting.pop()
        if here not in found:
            found[here] = list(steps(here))
            waiting += [there for _, there, _ in found[here]]
    return found


@pytest.mark.parametrize("track", Track)
def test_every_open_request_has_a_holder_a_step_and_a_day(track: Track) -> None:
    walked = reachable(track)
    assert len(walked) > 40
    for here, ways in walked.items():
        assert (here.waiting_on is not None) == (here.state in OPEN), here
        for verb, there, change in ways:
            if change.keeps_holding:
                assert here.waiting_on is not None, (here, verb)
            elif there.state in OPEN:
                assert change.holding is not None, (here, verb)
                assert change.holding.step in lifecycle.STEPS
                assert change.holding.due_on >= NOW.date()
            else:
                assert change.holding is None, (here, verb)


@pytest.mark.parametrize("track", Track)
def test_every_state_can_be_reached_but_review_by_a_question(track: Track) -> None:
    states = {situation.state for situation in reachable(track)}
    assert states == set(State) - ({State.IN_REVIEW} if track is Track.QUESTION else set())
    assert set(PATH[track]) <= states


@pytest.mark.parametrize("track", Track)
def test_an_open_request_can_always_be_brought_to_an_end(track: Track) -> None:
    walked = reachable(track)
    ends = {here for here in walked if here.state not in OPEN and here.state is not State.DRAFT}
    while True:
        more = {here for here, ways in walked.items() if any(there in ends for _, there, _ in ways)} - ends
        if not more:
            break
        ends |= more
    assert ends == set(walked)


@pytest.mark.parametrize("track", Track)
def test_a_request_in_matching_has_no_lead_and_can_find_one(track: Track) -> None:
    for here, ways in reachable(track).items():
        if here.state in (State.RECEIVED, State.IN_REVIEW, State.MATCHING):
            assert not here.has_lead, here
        if here.state is State.MATCHING:
            assert Verb.CLAIM in {verb for verb, _, _ in ways}


def test_only_who_is_waited_for_can_be_the_requester_when_a_question_was_asked() -> None:
    for here in situations():
        if Verb.ASK in verbs(here, {Part.LEAD}):
            change = move(here, Verb.ASK, {Part.LEAD}, now=NOW)
            assert change.holding == Holding(WaitingOn.REQUESTER, "requester_answers", date(2026, 12, 7))


def test_an_answer_brings_back_what_the_state_stands_for() -> None:
    asked = Situation(State.IN_PROGRESS, Track.PROJECT, WaitingOn.REQUESTER, has_lead=True)
    change = move(asked, Verb.ANSWER, {Part.REQUESTER}, now=NOW)
    assert change.holding == Holding(WaitingOn.EXPERT, "lead_works", date(2026, 12, 7))


@pytest.mark.parametrize("verb", [Verb.DECLINE_OFFER, Verb.WITHDRAW_OFFER, Verb.EXPIRE_OFFER])
def test_the_last_offer_hands_the_request_back_to_the_coordinator(verb: Verb) -> None:
    asked = Situation(State.MATCHING, Track.PROJECT, WaitingOn.EXPERT)
    change = move(asked, verb, EVERYBODY, now=NOW)
    assert change.holding == Holding(WaitingOn.COORDINATOR, "coordinator_finds_expert", date(2026, 11, 30))
    still = Situation(State.MATCHING, Track.PROJECT, WaitingOn.EXPERT, offers=1)
    assert move(still, verb, EVERYBODY, now=NOW).keeps_holding


def test_an_ended_offer_does_not_take_a_question_from_the_requester() -> None:
    asked = Situation(State.MATCHING, Track.PROJECT, WaitingOn.REQUESTER)
    assert move(asked, Verb.EXPIRE_OFFER, {Part.SYSTEM}, now=NOW).keeps_holding


def test_a_request_that_comes_back_has_no_lead() -> None:
    ended = Situation(State.DECLINED, Track.QUESTION, has_lead=True)
    change = move(ended, Verb.REINSTATE, {Part.COORDINATOR}, now=NOW)
    assert change.state is State.RECEIVED
    assert Verb.REINSTATE in lifecycle.FREES_LEAD


def test_reopened_without_a_lead_waits_on_the_coordinator() -> None:
    resolved = Situation(State.RESOLVED, Track.QUESTION, WaitingOn.REQUESTER)
    change = move(resolved, Verb.REOPEN, {Part.REQUESTER}, now=NOW)
    assert change.holding == Holding(WaitingOn.COORDINATOR, "coordinator_continues", date(2026, 11, 30))


def test_a_chosen_next_step_is_taken_as_it_is() -> None:
    here = Situation(State.IN_PROGRESS, Track.PROJECT, WaitingOn.EXPERT, has_lead=True)
    assert move(here, Verb.SET_NEXT, {Part.LEAD}, now=NOW, chosen=CHOSEN).holding == CHOSEN
    with pytest.raises(ValueError, match="chosen"):
        move(here, Verb.SET_NEXT, {Part.LEAD}, now=NOW)


@pytest.mark.parametrize(("step", "text"), [("text", " "), ("lead_works", "with words"), ("no_such_step", "")])
def test_nobody_can_hold_a_request_without_a_step(step: str, text: str) -> None:
    with pytest.raises(ValueError, match="next step"):
        Holding(WaitingOn.EXPERT, step, NOW.date(), text)


def test_a_decline_needs_a_reason_and_an_alternative() -> None:
    assert needs(Verb.DECLINE) == ("reason", "alternative")


def test_lines_of_one_verb_need_the_same() -> None:
    for verb in Verb:
        assert len({m.needs for m in MOVES if m.verb is verb}) == 1


@given(st.sampled_from(list(situations())), st.sets(st.sampled_from(Part)))
def test_the_primary_verb_is_one_that_may_be_used(situation: Situation, parts: set[Part]) -> None:
    chosen = primary(situation, parts)
    assert chosen is None or chosen in verbs(situation, parts)


@pytest.mark.parametrize(
    ("situation", "part", "verb"),
    [
        (Situation(State.RECEIVED, Track.PROJECT), Part.COORDINATOR, Verb.REVIEW),
        (Situation(State.RECEIVED, Track.QUESTION), Part.COORDINATOR, Verb.TAKE_ON),
        (Situation(State.IN_REVIEW, Track.PROJECT), Part.COMMITTEE, Verb.APPROVE),
        (Situation(State.MATCHING, Track.QUESTION), Part.COORDINATOR, Verb.OFFER),
        (Situation(State.MATCHING, Track.QUESTION), Part.EXPERT, Verb.CLAIM),
        (Situation(State.MATCHING, Track.QUESTION, offers=1), Part.OFFERED, Verb.ACCEPT),
        (Situation(State.IN_PROGRESS, Track.QUESTION, has_lead=True), Part.LEAD, Verb.RESOLVE),
        (Situation(State.RESOLVED, Track.QUESTION), Part.REQUESTER, Verb.CONFIRM),
        (Situation(State.MATCHING, Track.QUESTION, WaitingOn.REQUESTER), Part.REQUESTER, Verb.ANSWER),
    ],
)
def test_everybody_has_the_one_thing_to_do(situation: Situation, part: Part, verb: Verb) -> None:
    assert primary(situation, {part}) is verb


def test_due_days_count_from_now() -> None:
    late = NOW + timedelta(days=100)
    change = move(Situation(State.DRAFT, Track.QUESTION), Verb.SEND, {Part.REQUESTER}, now=late)
    assert change.holding == Holding(WaitingOn.COORDINATOR, "coordinator_reads", (late + timedelta(days=3)).date())
