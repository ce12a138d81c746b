"""Who may see and do what: every kind of viewer against every kind of request."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cphub.domain.events import Audience
from cphub.domain.lifecycle import Part, State, Track, Verb
from cphub.domain.policy import (
    ANONYMOUS,
    Act,
    Profile,
    Role,
    Subject,
    Viewer,
    Visibility,
    audiences,
    may,
    parts,
    reach,
)

ASHA, KOFI, BENE, NOOR, JOSE, SAMI, MEI, LENA, ROOT = range(1, 10)
#: Everybody around one request, by the part they play in it.
VIEWERS = {
    "anonymous": ANONYMOUS,
    "stranger": Viewer(SAMI),
    "expert": Viewer(SAMI, expert=True),
    "requester": Viewer(ASHA),
    "lead": Viewer(KOFI, expert=True),
    "team": Viewer(BENE),
    "offered": Viewer(NOOR, expert=True),
    "joined": Viewer(JOSE),
    "coordinator": Viewer(MEI, frozenset({Role.COORDINATOR})),
    "committee": Viewer(LENA, frozenset({Role.COMMITTEE})),
    "admin": Viewer(ROOT, frozenset({Role.ADMIN})),
    "own coordinator": Viewer(ASHA, frozenset({Role.COORDINATOR, Role.COMMITTEE})),
}
INSIDERS = {"requester", "lead", "team", "offered", "coordinator", "committee", "own coordinator"}
SENT = [state for state in State if state is not State.DRAFT]


def subject(state: State = State.IN_PROGRESS, visibility: Visibility = Visibility.PUBLIC) -> Subject:
    return Subject(
        state=state,
        track=Track.PROJECT,
        visibility=visibility,
        owner_ids=frozenset({ASHA}),
        lead_id=KOFI,
        team_ids=frozenset({BENE}),
        joined_ids=frozenset({JOSE}),
        offered_ids=frozenset({NOOR}),
    )


def who(act: Act | Verb, thing: Subject | Profile | None = None, *, blocked: bool = False) -> set[str]:
    """The viewers who may do this."""
    return {
        name
        for name, v in VIEWERS.items()
        if may(Viewer(v.person_id, v.roles, blocked, v.expert) if blocked else v, act, thing)
    }


@pytest.mark.parametrize("state", SENT)
def test_everybody_sees_a_public_request(state: State) -> None:
    assert who(Act.SEE, subject(state)) == set(VIEWERS)


@pytest.mark.parametrize("state", SENT)
def test_only_insiders_and_who_asked_the_same_see_one_that_is_not_public(state: State) -> None:
    assert who(Act.SEE, subject(state, Visibility.HUB)) == INSIDERS | {"joined"}


@pytest.mark.parametrize("visibility", Visibility)
def test_a_draft_is_its_writers_alone(visibility: Visibility) -> None:
    draft = Subject(State.DRAFT, Track.PROJECT, visibility, owner_ids=frozenset({ASHA}))
    assert who(Act.SEE, draft) == {"requester", "own coordinator"}
    assert who(Verb.SEND, draft) == {"requester", "own coordinator"}
    for act in set(Act) - {Act.SEE, Act.SEE_WITHHELD}:
        assert who(act, draft) == set(), act


@pytest.mark.parametrize(("act", "allowed"), [
    (Act.SEE_WITHHELD, INSIDERS),
    (Act.SEE_MATCHES, {"coordinator"}),
    (Act.REPLY, INSIDERS | {"joined", "expert"}),
    (Act.NOTE, {"lead", "team", "coordinator"}),
    (Act.EDIT, {"requester", "own coordinator", "coordinator"}),
    (Act.WATCH, set(VIEWERS) - {"anonymous"}),
    (Act.LINK_TASK, {"lead", "coordinator"}),
    (Act.SET_NEEDS, {"coordinator"}),
    (Act.STAFF, {"coordinator"}),
])  # fmt: skip
@pytest.mark.parametrize("visibility", Visibility)
@pytest.mark.parametrize("state", SENT)
def test_what_can_be_done_with_a_request(state: State, visibility: Visibility, act: Act, allowed: set[str]) -> None:
    there = subject(state, visibility)
    assert who(act, there) == allowed & who(Act.SEE, there)


@pytest.mark.parametrize(("act", "allowed"), [
    (Act.WRITE, set(VIEWERS) - {"anonymous"}),
    (Act.ASK_FOR_OTHERS, {"coordinator", "own coordinator"}),
    (Act.SEE_QUEUE, {"coordinator", "own coordinator"}),
    (Act.SEE_COMMITTEE, {"coordinator", "committee", "own coordinator"}),
    (Act.SEE_DELIVERIES, {"coordinator", "admin", "own coordinator"}),
    (Act.MANAGE_ROLES, {"admin"}),
])  # fmt: skip
def test_what_can_be_done_in_the_hub(act: Act, allowed: set[str]) -> None:
    assert who(act) == allowed


@pytest.mark.parametrize("act", [act for act in Act if not act.startswith("see")] + list(Verb))
@pytest.mark.parametrize("state", State)
def test_whoever_is_blocked_or_not_signed_in_changes_nothing(state: State, act: Act | Verb) -> None:
    assert who(act, subject(state), blocked=True) == set()
    assert "anonymous" not in who(act, subject(state))
    assert who(act, blocked=True) == set()


def test_whoever_is_blocked_reads_as_before() -> None:
    assert who(Act.SEE, subject(visibility=Visibility.HUB), blocked=True) == INSIDERS | {"joined"}


@pytest.mark.parametrize(("audience", "allowed"), [
    (Audience.PUBLIC, set(VIEWERS)),
    (Audience.PARTICIPANTS, INSIDERS),
    (Audience.TEAM, {"lead", "team", "coordinator"}),
    (Audience.COORDINATORS, {"coordinator"}),
])  # fmt: skip
def test_who_reads_what_is_said(audience: Audience, allowed: set[str]) -> None:
    assert {name for name, v in VIEWERS.items() if audience in audiences(v, subject())} == allowed


def test_nobody_handles_their_own_case() -> None:
    assert parts(VIEWERS["own coordinator"], subject()) == {Part.REQUESTER}
    review = subject(State.IN_REVIEW)
    for verb in (Verb.APPROVE, Verb.DECLINE):
        assert who(verb, review) == {"coordinator", "committee"}


def test_a_stranger_can_do_nothing_but_watch() -> None:
    for state, visibility in product(SENT, Visibility):
        there = subject(state, visibility)
        for verb in Verb:
            assert not may(VIEWERS["stranger"], verb, there)


def test_profiles() -> None:
    mine, hidden = Profile(KOFI, published=True), Profile(KOFI, published=False)
    assert who(Act.SEE_PROFILE, mine) == set(VIEWERS)
    assert who(Act.SEE_PROFILE, hidden) == {"lead"}
    assert who(Act.EDIT_PROFILE, mine) == {"lead"}
    assert who(Act.EDIT_PROFILE, mine, blocked=True) == set()


people = st.integers(1, 9)
groups = st.frozensets(people, max_size=3)
subjects = st.builds(
    Subject,
    state=st.sampled_from(State),
    track=st.sampled_from(Track),
    visibility=st.sampled_from(Visibility),
    owner_ids=groups,
    lead_id=st.none() | people,
    team_ids=groups,
    joined_ids=groups,
    offered_ids=groups,
)
viewers = st.builds(
    Viewer,
    person_id=people,
    roles=st.frozensets(st.sampled_from(Role)),
    blocked=st.booleans(),
    expert=st.booleans(),
)


@given(viewers | st.just(ANONYMOUS), subjects, st.sampled_from([*Act, *Verb]))
def test_nothing_can_be_done_with_what_cannot_be_seen(viewer: Viewer, thing: Subject, act: Act | Verb) -> None:
    if not may(viewer, Act.SEE, thing):
        assert not may(viewer, act, thing)
    assert may(viewer, Act.SEE, thing) == reach(viewer).covers(thing)


@given(viewers, subjects)
def test_a_part_played_always_lets_see_what_was_sent(viewer: Viewer, thing: Subject) -> None:
    if thing.state is not State.DRAFT and parts(viewer, thing) - {Part.EXPERT}:
        assert may(viewer, Act.SEE, thing)
