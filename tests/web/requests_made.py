"""Requests for tests of the pages, made by the use cases as the personas would."""

from collections.abc import Callable
from typing import Any

from flask import Flask

from cphub.domain.draft import Draft
from cphub.domain.lifecycle import Track, Verb
from cphub.domain.policy import Viewer
from cphub.models import Expert, Person, Request, db
from cphub.services import offers, people, requests
from cphub.services.requests import Facts
from tests.web.conftest import PERSONAS

SOLVED = Facts(outcome="solved", summary="The maps are on Commons.")


class Maker:
    """Each method gives the number of a request of Asha's in some state, or does something with one."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._keys = iter(range(10**6))

    def as_(self, name: str, do: Callable[[Viewer], Any]) -> Any:
        """What ``do`` gives when the persona does it."""
        with self.app.app_context():
            return do(self.viewer(name))

    def viewer(self, name: str) -> Viewer:
        person = db.session.query(Person).filter_by(central_id=PERSONAS[name][0]).one()
        return people.viewer_of(person)

    def received(self, title: str = "How do I upload 300 maps?", *, by: str = "asha", **values: Any) -> int:
        given: dict[str, Any] = {
            "track": Track.QUESTION,
            "body": "We have three hundred scanned maps.",
            "language": "en",
        }
        draft = Draft(title=title, **given | values)
        key = f"key-{next(self._keys):08}"
        number: int = self.as_(by, lambda v: requests.send(v, key, draft).id)
        return number

    def in_review(self, **values: Any) -> int:
        number = self.received(**{"track": Track.PROJECT} | values)
        return self.act("mei", number, Verb.REVIEW)

    def matching(self, **values: Any) -> int:
        return self.act("mei", self.received(**values), Verb.TAKE_ON)

    def in_progress(self, **values: Any) -> int:
        """Kofi leads it; one that is not public was offered to him."""
        number = self.matching(**values)
        self.as_("kofi", lambda v: offers.accept(v, self.offer(number)))
        return number

    def resolved(self, **values: Any) -> int:
        return self.act("kofi", self.in_progress(**values), Verb.RESOLVE, SOLVED)

    def act(self, name: str, number: int, verb: Verb, facts: Facts = Facts()) -> int:  # noqa: B008
        self.as_(name, lambda v: requests.act(v, number, verb, facts))
        return number

    def offer(self, number: int, *, to: str = "kofi", message: str = "Would you?") -> int:
        """The id of an open offer."""

        def send(viewer: Viewer) -> int:
            expert = db.session.query(Expert).filter_by(person_id=self.viewer(to).person_id).one()
            return offers.send(viewer, number, expert.id, message=message).id

        found: int = self.as_("mei", send)
        return found

    def stored(self, number: int) -> Request:
        """The row as it is now."""
        with self.app.app_context():
            found = db.session.get_one(Request, number)
            db.session.expunge(found)
            return found
