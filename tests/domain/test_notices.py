"""Who hears of what happens, and why."""

import pytest

from cphub.domain.events import Audience, EventKind, audience_of
from cphub.domain.lifecycle import WaitingOn
from cphub.domain.notices import Circle, Why, hear

ASHA, KOFI, MEI, LENA, SAMI, NOOR, BENE = 1, 2, 3, 4, 5, 6, 7
CIRCLE = Circle(
    requester=ASHA,
    coordinators=frozenset({MEI, NOOR}),
    committee=frozenset({LENA}),
    coordinator=MEI,
    lead=KOFI,
    team=frozenset({BENE}),
    watchers=frozenset({SAMI}),
)


def told(kind: EventKind, *, actor: int | None = None, waiting_on: WaitingOn | None = None, circle: Circle = CIRCLE,
         audience: Audience | None = None) -> dict[int, Why]:  # fmt: skip
    return hear(kind, audience or audience_of(kind), circle, actor=actor, waiting_on=waiting_on)


def test_a_reply_reaches_everybody_who_has_to_do_with_it() -> None:
    assert told(EventKind.REPLY_WRITTEN, actor=KOFI) == {
        ASHA: Why.YOUR_REQUEST,
        BENE: Why.TEAM,
        MEI: Why.COORDINATOR,
        SAMI: Why.WATCHING,
    }


@pytest.mark.parametrize("kind", EventKind)
@pytest.mark.parametrize("actor", [ASHA, KOFI, MEI, LENA, SAMI])
def test_nobody_hears_of_their_own_act(kind: EventKind, actor: int) -> None:
    for waiting_on in WaitingOn:
        assert actor not in told(kind, actor=actor, waiting_on=waiting_on)


def test_whose_turn_it_is_hears_that_first() -> None:
    assert told(EventKind.REQUEST_ASKED, actor=KOFI, waiting_on=WaitingOn.REQUESTER)[ASHA] is Why.YOUR_TURN
    assert told(EventKind.REQUEST_ANSWERED, actor=ASHA, waiting_on=WaitingOn.EXPERT)[KOFI] is Why.YOUR_TURN
    assert told(EventKind.REPLY_WRITTEN, actor=ASHA, waiting_on=WaitingOn.COORDINATOR)[MEI] is Why.YOUR_TURN


def test_a_note_is_for_the_team_alone() -> None:
    circle = Circle(
        requester=ASHA, coordinators=frozenset({MEI}), lead=KOFI, team=frozenset({BENE}), joined=frozenset({LENA}),
        watchers=frozenset({SAMI}), coordinator=MEI,
    )  # fmt: skip
    assert told(EventKind.NOTE_WRITTEN, actor=KOFI, circle=circle) == {BENE: Why.TEAM, MEI: Why.COORDINATOR}


@pytest.mark.parametrize("kind", [k for k in EventKind if audience_of(k) is Audience.COORDINATORS])
def test_what_concerns_offers_stays_with_coordinators_and_who_was_asked(kind: EventKind) -> None:
    circle = Circle(requester=ASHA, coordinators=frozenset({MEI}), lead=KOFI, team=frozenset({BENE}),
                    watchers=frozenset({SAMI}), offered=frozenset({NOOR}))  # fmt: skip
    for waiting_on in WaitingOn:
        assert set(told(kind, waiting_on=waiting_on, circle=circle)) <= {MEI, NOOR}


def test_an_expert_hears_of_the_offer() -> None:
    circle = Circle(requester=ASHA, coordinators=frozenset({MEI}), offered=frozenset({KOFI}))
    assert told(EventKind.OFFER_SENT, actor=MEI, circle=circle, waiting_on=WaitingOn.EXPERT) == {KOFI: Why.OFFERED}


def test_all_coordinators_hear_of_a_new_request_until_one_looks_after_it() -> None:
    circle = Circle(requester=ASHA, coordinators=frozenset({MEI, NOOR}))
    assert told(EventKind.REQUEST_RECEIVED, actor=ASHA, circle=circle, waiting_on=WaitingOn.COORDINATOR) == {
        MEI: Why.COORDINATOR,
        NOOR: Why.COORDINATOR,
    }
    assert NOOR not in told(EventKind.OFFER_DECLINED, waiting_on=WaitingOn.COORDINATOR)


def test_a_former_coordinator_hears_nothing_of_what_only_coordinators_may_know() -> None:
    circle = Circle(requester=ASHA, coordinators=frozenset({NOOR}), coordinator=MEI)
    assert told(EventKind.OFFER_DECLINED, circle=circle) == {NOOR: Why.COORDINATOR}
    assert told(EventKind.REQUEST_NEEDS_SET, circle=circle) == {}


def test_the_committee_hears_of_what_it_has_to_decide() -> None:
    assert told(EventKind.REQUEST_IN_REVIEW, actor=MEI, waiting_on=WaitingOn.COMMITTEE)[LENA] is Why.COMMITTEE
    assert LENA not in told(EventKind.REPLY_WRITTEN, actor=MEI, waiting_on=WaitingOn.COMMITTEE)


def test_who_asked_the_same_hears_the_answer() -> None:
    circle = Circle(requester=ASHA, coordinators=frozenset(), joined=frozenset({SAMI}))
    assert told(EventKind.REPLY_WRITTEN, actor=MEI, circle=circle)[SAMI] is Why.JOINED
    assert SAMI not in told(EventKind.REQUEST_EDITED, actor=MEI, circle=circle), "what they may not read"
