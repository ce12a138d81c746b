"""The ways in which a use case can end other than well.

Every floor raises these; only the top floor turns them into pages, JSON or exit codes. They carry message
keys and facts, never a sentence, so that each reader is told in their own language.
"""


class CphubError(Exception):
    """Base of all expected failures."""


class Invalid(CphubError):
    """What was entered cannot be taken. ``fields`` maps a field's name to the key of the message to show
    beside it.
    """

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(fields)
        self.fields = fields


class Forbidden(CphubError):
    """The viewer may not do this. ``reason`` is the key of the message that says why."""

    def __init__(self, reason: str = "errors-forbidden") -> None:
        super().__init__(reason)
        self.reason = reason


class NotFound(CphubError):
    """There is no such thing, or the viewer may not know that there is."""


class Conflict(CphubError):
    """Somebody else was first. ``message``, a key, and ``facts`` (who, what, when) tell the second person what
    changed.
    """

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class GatewayError(CphubError):
    """Another server did not do what was asked.

    ``permanent``: asking again the same way will fail again. ``unsure``: it may have done it all the same
    (the connection broke after the question was sent), so look before asking again.
    """

    def __init__(self, message: str, *, permanent: bool, unsure: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent
        self.unsure = unsure
