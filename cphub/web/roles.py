"""Who may do what: roles, given and taken by admins."""

from collections.abc import Mapping

from flask import Blueprint, redirect, render_template
from werkzeug.wrappers import Response

from cphub.domain.policy import Role
from cphub.errors import Invalid
from cphub.models.queries import roles as queries
from cphub.services import people
from cphub.web import current, errors, forms

bp = Blueprint("roles", __name__)


@bp.get("/admin/roles")
@current.signed_in
def index() -> str:
    return _page({name: values[-1] for name, values in errors.typed().items()})


@bp.post("/admin/roles")
@current.writes
def grant() -> Response | tuple[str, int]:
    """Give a role to an account."""
    name = forms.text("name")
    try:
        person = people.grant(current.viewer(), name, forms.choice("role", Role))
    except Invalid as invalid:
        return _page({"name": name, "role": forms.text("role")}, invalid.fields), 422
    forms.tell("admin-told-granted", person.name)
    return redirect("/admin/roles", 303)


@bp.post("/admin/roles/<int:person_id>/revoke")
@current.writes
def revoke(person_id: int) -> Response | tuple[str, int]:
    """Take a role away."""
    try:
        people.revoke(current.viewer(), person_id, forms.choice("role", Role))
    except Invalid as invalid:
        return _page({}, invalid.fields), 422
    forms.tell("admin-told-revoked")
    return redirect("/admin/roles", 303)


def _page(typed: Mapping[str, str], problems: Mapping[str, str] | None = None) -> str:
    return render_template(
        "admin/roles.html",
        holders=queries.holders(current.viewer()),
        values=typed,
        errors=problems or {},
    )
