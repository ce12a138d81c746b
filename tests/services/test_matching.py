"""Matching over the registry: what is read from the tables is what the ranking works on."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from cphub import clock
from cphub.domain.lifecycle import Verb
from cphub.domain.matching import Barrier, SkillLevel
from cphub.domain.matching.values import Weight
from cphub.domain.policy import Role
from cphub.errors import Conflict, Forbidden, NotFound
from cphub.models import Expert, Request, db
from cphub.services import matching, offers, people, requests
from cphub.services.requests.needs import set_needs
from tests.conftest import FixedClock
from tests.services import making


@pytest.fixture(autouse=True)
def _inside(app: Flask):  # type: ignore[no-untyped-def]
    with app.app_context():
        yield


def test_coordinator_sees_ranked_and_explained_matches() -> None:
    asha, mei = making.person("Asha"), making.person("Mei", Role.COORDINATOR)
    making.profile(making.person("Kofi"), skills={"upload.batch": SkillLevel.TEACH}, languages={"fr": 4})
    making.profile(making.person("Zuri"), skills={"data.lists": SkillLevel.KNOWN}, languages={"en": 6})
    number = making.matching(asha, mei, reply_languages=("fr",)).id
    set_needs(making.viewer(mei), number, skills={"upload.batch": True}, weight="S")
    kofi, zuri = matching.matches(making.viewer(mei), number)
    assert (kofi.expert.name, zuri.expert.name) == ("Kofi", "Zuri")
    assert [r.code for r in kofi.reasons] == ["skill_teach", "language", "places"]
    assert zuri.caveat is not None
    assert zuri.caveat.code == "lacks_must"


@pytest.mark.parametrize("name", ["Asha", "Sami", "Root"])
def test_nobody_else_sees_matches(name: str) -> None:
    asha, mei = making.person("Asha"), making.person("Mei", Role.COORDINATOR)
    others = {"Asha": asha, "Sami": making.person("Sami"), "Root": making.person("Root", Role.ADMIN)}
    number = making.matching(asha, mei).id
    with pytest.raises(Forbidden):
        matching.matches(making.viewer(others[name]), number)


def test_unpublished_blocked_and_away_experts_are_not_suggested(clock: FixedClock) -> None:
    asha, mei = making.person("Asha"), making.person("Mei", Role.COORDINATOR)
    making.profile(making.person("Hidden"), publish=False)
    making.profile(making.person("Away"), away_until=clock().date() + timedelta(days=3))
    blocked = making.person("Blake")
    making.profile(blocked)
    people.sign_in(blocked.central_id or "", "Blake", blocked=True)
    making.profile(making.person("Kofi"))
    number = making.matching(asha, mei).id
    assert [m.expert.name for m in matching.matches(making.viewer(mei), number)] == ["Kofi"]


def test_load_is_what_somebody_leads_now() -> None:
    asha, mei, kofi = making.person("Asha"), making.person("Mei", Role.COORDINATOR), making.person("Kofi")
    making.profile(kofi, places=4)
    first, second = making.matching(asha, mei).id, making.matching(asha, mei).id
    set_needs(making.viewer(mei), second, skills={}, weight="S")
    for number in (first, second):
        offers.claim(making.viewer(kofi), number)
    assert matching.loads([kofi.id]) == {kofi.id: 3}
    requests.act(making.viewer(kofi), first, Verb.RESOLVE, requests.Facts(outcome="solved", summary="Done together."))
    assert matching.loads([kofi.id]) == {kofi.id: 1}


def test_organisation_goes_by_its_own_name() -> None:
    making.profile(making.person("Lindiwe"), is_organisation=True, organisation="Open Archives Trust")
    assert [c.name for c in matching.candidates()] == ["Open Archives Trust"]


def test_registry_without_anybody_gives_no_matches() -> None:
    asha, mei = making.person("Asha"), making.person("Mei", Role.COORDINATOR)
    assert matching.matches(making.viewer(mei), making.matching(asha, mei).id) == []


def test_barrier_now_says_what_changed_meanwhile() -> None:
    asha, mei, kofi = making.person("Asha"), making.person("Mei", Role.COORDINATOR), making.person("Kofi")
    expert = making.profile(kofi, places=2)
    request = making.matching(asha, mei, partner_name="City Museum")
    today = clock.now().date()
    assert matching.barrier_now(request, expert, today=today) is None
    making.profile(kofi, places=2, conflicts=("city  museum",))
    assert matching.barrier_now(request, expert, today=today) is Barrier.CONFLICT
    making.profile(kofi, places=2)
    request.weight = Weight.L
    db.session.commit()
    assert matching.barrier_now(request, expert, today=today) is Barrier.FULL


@pytest.mark.parametrize("change", ["full", "away", "unpublished", "conflict"])
def test_barriers_are_asked_again_when_claiming(change: str, clock: FixedClock) -> None:
    asha, mei, kofi = making.person("Asha"), making.person("Mei", Role.COORDINATOR), making.person("Kofi")
    making.profile(kofi, places=2)
    number = making.matching(asha, mei, partner_name="City Museum").id
    as_of_then = making.viewer(kofi)
    changes: dict[str, dict[str, Any]] = {
        "full": {"places": 1},
        "away": {"away_until": clock().date()},
        "unpublished": {"publish": False},
        "conflict": {"conflicts": ("City Museum",)},
    }
    making.profile(kofi, **{"places": 2} | changes[change])
    with pytest.raises(Conflict) as refused:
        offers.claim(as_of_then, number)
    assert refused.value.message == f"offers-barrier-{change}"
    assert db.session.get_one(Request, number, populate_existing=True).lead_id is None


def test_an_expert_cannot_claim_what_they_asked_for_themselves() -> None:
    mei, kofi = making.person("Mei", Role.COORDINATOR), making.person("Kofi")
    making.profile(kofi)
    number = making.matching(kofi, mei).id
    with pytest.raises(Conflict):
        offers.claim(making.viewer(kofi), number)
    mine = db.session.query(Expert).filter_by(person_id=kofi.id).one()
    request = db.session.get_one(Request, number)
    assert matching.barrier_now(request, mine, today=clock.now().date()) is Barrier.SELF


def test_who_may_not_see_a_request_is_not_told_that_it_is_there() -> None:
    asha, mei, sami = making.person("Asha"), making.person("Mei", Role.COORDINATOR), making.person("Sami")
    number = making.matching(asha, mei, visibility="hub").id
    with pytest.raises(NotFound):
        matching.matches(making.viewer(sami), number)
