"""What a request needs of an expert, as a coordinator sees it."""

from cphub import clock
from cphub.domain.events import EventKind
from cphub.domain.matching.values import Weight
from cphub.domain.policy import Act, Viewer
from cphub.errors import Invalid
from cphub.models import Request, RequestSkill, db
from cphub.services.record import record
from cphub.services.requests.subject import find
from cphub.taxonomies import SKILLS


def set_needs(viewer: Viewer, number: int, *, skills: dict[str, bool], weight: str) -> Request:
    """Set the skills (id -> is a must) and the size of a case. Commits. Raises Invalid for what does not exist."""
    request, _ = find(viewer, number, Act.SET_NEEDS, lock=True)
    if not skills.keys() <= SKILLS.keys():
        raise Invalid({"skills": "requests-error-choice"})
    if weight not in set(Weight):
        raise Invalid({"weight": "requests-error-choice"})
    have = {row.skill: row for row in request.skills}
    for skill, must in skills.items():
        if skill in have:
            have[skill].must = must
    request.skills = [have.get(s) or RequestSkill(skill=s, must=must) for s, must in skills.items()]
    request.weight = Weight(weight)
    record(
        request, EventKind.REQUEST_NEEDS_SET, actor=viewer.person_id, now=clock.now(),
        payload={"skills": sorted(skills), "weight": weight},
    )  # fmt: skip
    db.session.commit()
    return request
