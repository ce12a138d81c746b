"""One page of the form: whose and what it is, and drawing it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from flask import render_template
from werkzeug.datastructures import MultiDict

from cphub.domain.draft import Draft
from cphub.domain.lifecycle import State, Track
from cphub.domain.policy import Act, may
from cphub.domain.shown import shown
from cphub.models import Request
from cphub.models.queries.me import DraftRow, Sent
from cphub.services import requests
from cphub.taxonomies import LANGUAGES
from cphub.web import choices, current, errors, forms
from cphub.web.asking import fields, steps
from cphub.web.asking.steps import Step
from cphub.web.forms import Form

NO_PROBLEMS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Sheet:
    """``stored``: the request as saved, if it was. ``base``: its content, or that of an empty form.

    ``on_behalf_of``: the name of whom a coordinator writes this down for, None when it is for the viewer.
    """

    key: str
    stored: Request | None
    base: Draft
    on_behalf_of: str | None
    typed: Form

    @classmethod
    def of(cls, key: str, typed: Form | None = None, *, for_other: bool = False) -> "Sheet":
        """The sheet of a form with this key. Raises NotFound for somebody else's."""
        typed = MultiDict() if typed is None else typed
        viewer = current.viewer()
        stored = requests.mine(viewer, key) if viewer.person_id is not None else None
        name = stored.requester.name if stored and stored.entered_by_id is not None else None
        if may(viewer, Act.ASK_FOR_OTHERS):
            if name is None and for_other:
                name = ""
            if name is not None and "on_behalf_of" in typed:
                name = forms.text("on_behalf_of", form=typed)
        base = requests.as_draft(stored) if stored else _empty() if name is None else Draft()
        return cls(key, stored, base, name, typed)

    @property
    def sent(self) -> bool:
        return self.stored is not None and self.stored.state is not State.DRAFT

    @property
    def new_name(self) -> str | None:
        """The name for the services: only where it was typed, for who is saved stays who it is."""
        known = self.stored is not None and self.stored.entered_by_id is not None
        return None if known and "on_behalf_of" not in self.typed else self.on_behalf_of

    def address(self, step: Step, track: Track | None = None) -> str:
        """Where this draft is gone on with."""
        return f"/requests/new?draft={self.key}&step={steps.place(step, track or self.base.track)}"

    def draw(
        self,
        step: Step,
        *,
        problems: Mapping[str, str] = NO_PROBLEMS,
        names: Collection[str] = (),
        drafts: Collection[DraftRow] = (),
        just_sent: Sent | None = None,
        unsaved: bool = False,
        again: int | None = None,
    ) -> str:
        """The page of a step; of all steps when there are problems elsewhere.

        ``names``: fields that show what was typed and not what is saved. ``drafts``: others that can be gone on with.
        ``just_sent``: what the person may think they have not sent. ``unsaved``: say that what is typed is not saved.
        ``again``: the number of the request that was sent with the same form before.
        """
        if not problems.keys() <= {*steps.FIELDS[step], "send"}:
            step = Step.ALL
        draft = fields.read(self.typed, self.base, names, lenient=True)
        who = current.person()
        requester = self.on_behalf_of or (who.name if who else None)
        return render_template(
            "asking/new.html",
            sheet=self,
            step=step,
            path=steps.path(draft.track),
            draft=draft,
            values=fields.overlay(fields.as_form(draft), self.typed, names),
            errors=problems,
            drafts=drafts,
            just_sent=just_sent,
            unsaved=unsaved,
            again=again,
            public=shown(draft, requester, everything=False),
            inside=shown(draft, requester, everything=True),
            **options(draft),
        )


def options(draft: Draft) -> dict[str, object]:
    """What selects and boxes of the form offer."""
    speaker = current.speaker()
    return {
        "choices": choices,
        "likely_languages": choices.likely_languages(speaker, *draft.reply_languages, draft.language),
    }


def parked() -> Form:
    """What was typed into this page before the session ended."""
    return MultiDict([(name, value) for name, values in errors.typed().items() for value in values])


def _empty() -> Draft:
    """Most people write in the language they read."""
    code = current.speaker().code
    return Draft(language=code if code in LANGUAGES else None)
