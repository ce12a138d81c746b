"""People, profiles and requests for tests of the use cases, made by the use cases themselves where there is one."""

import itertools
from typing import Any

from cphub import clock
from cphub.domain.draft import Draft
from cphub.domain.lifecycle import Track, Verb
from cphub.domain.matching import SkillLevel
from cphub.domain.policy import Role, Viewer
from cphub.models import Expert, Person, Request, RoleGrant, db
from cphub.services import experts, people, requests
from cphub.services.experts import Card

_keys = itertools.count(1)


def next_key() -> int:
    """A number that no other call gives."""
    return next(_keys)


def person(name: str, *roles: Role, mail: str | None = None, language: str | None = None) -> Person:
    """Somebody who has signed in; ``mail`` is confirmed."""
    found = people.sign_in(f"{100_000 + next_key()}", name, blocked=False)
    found.roles = [RoleGrant(role=role, granted_at=clock.now()) for role in roles]
    found.mail, found.mail_confirmed, found.language = mail, mail is not None, language
    db.session.commit()
    return found


def viewer(who: Person) -> Viewer:
    return people.viewer_of(who)


def profile(who: Person, *, publish: bool = True, **values: Any) -> Expert:
    """A profile with enough in it to be published."""
    given: dict[str, Any] = {"skills": {"data.wikidata": SkillLevel.KNOWN}, "languages": {"en": 5}, "places": 4}
    return experts.save(viewer(who), Card(**given | values), publish=publish)


def request(asker: Person, title: str = "How do I upload 300 maps?", **values: Any) -> Request:
    """A question that was sent."""
    given: dict[str, Any] = {"track": Track.QUESTION, "body": "We have three hundred scanned maps.", "language": "en"}
    draft = Draft(title=title, **given | values)
    return requests.send(viewer(asker), f"key-{next_key()}", draft)


def matching(asker: Person, coordinator: Person, **values: Any) -> Request:
    """A question for which an expert is looked for."""
    sent = request(asker, **values)
    return requests.act(viewer(coordinator), sent.id, Verb.TAKE_ON)
