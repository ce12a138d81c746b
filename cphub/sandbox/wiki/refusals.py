"""The ways in which the wiki says no, with the keys and the words of Extension:OAuth."""

TRY_AGAIN = "try to connect your account again, or contact the application author."


class Refusal(Exception):
    """``key`` is for machines, ``text`` for people, ``detail`` and ``code`` for whoever maintains the app."""

    def __init__(self, key: str, text: str, *, detail: str = "", code: str = "") -> None:
        super().__init__(text)
        self.key, self.text, self.detail, self.code = key, text, detail, code


def protocol_error(text: str) -> Refusal:
    return Refusal("mwoauth-oauth-exception", f"An error occurred in the OAuth protocol: {text}")


def token_not_found() -> Refusal:
    return Refusal(
        "mwoauthdatastore-request-token-not-found",
        f"Sorry, something went wrong connecting this application.\nGo back and {TRY_AGAIN}",
        detail="OAuth token not found",
        code="E004",
    )


def token_already_used() -> Refusal:
    return Refusal(
        "mwoauthdatastore-request-token-already-used",
        "This request has already been completed and cannot be resubmitted.\n"
        f"Go back to the application and {TRY_AGAIN}",
        detail="OAuth token already used",
        code="E009",
    )


def token_not_allowed() -> Refusal:
    return Refusal("mwoauthdatastore-bad-token", "No token was found matching your request.")


def wrong_verifier() -> Refusal:
    return Refusal("mwoauthdatastore-bad-verifier", "The verification code provided was not valid.")


def no_grant() -> Refusal:
    return Refusal(
        "mwoauthdatastore-access-token-not-found", "No approved grant was found for that authorization token."
    )


def account_locked() -> Refusal:
    return Refusal(
        "mwoauth-invalid-authorization-blocked-user",
        "The authorization headers in your request are for a user who is blocked",
    )


def unknown_consumer() -> Refusal:
    return Refusal(
        "mwoauthserver-bad-consumer-key",
        "Sorry, something went wrong connecting this application.",
        detail="Unknown OAuth key",
        code="E006",
    )


def consumer_not_approved(name: str) -> Refusal:
    return Refusal(
        "mwoauthserver-bad-consumer",
        f'"{name}" is not approved as a Connected App. Contact the application author for help.',
        detail="Connected OAuth app not approved.",
    )


def consumer_no_longer_approved(name: str) -> Refusal:
    return Refusal(
        "mwoauth-invalid-authorization-not-approved",
        "The app that you are trying to connect seems to be set up incorrectly."
        f' Contact the author of "{name}" for help.',
    )


def owner_only(name: str, key: str) -> Refusal:
    return Refusal(
        "mwoauthserver-consumer-owner-only",
        f'"{name}" is an owner-only Connected App. To fetch the access token, see'
        f" [[Special:OAuthConsumerRegistration/update/{key}]].",
        detail="Consumer is owner-only",
        code="E010",
    )


def wrong_callback(*, prefix: bool) -> Refusal:
    text = 'oauth_callback must be set, and must be set to "oob" (case-sensitive)'
    if not prefix:
        return Refusal("mwoauth-callback-not-oob", text)
    return Refusal(
        "mwoauth-callback-not-oob-or-prefix",
        f"{text}, or the configured callback must be a prefix of the supplied callback.",
    )


def oauth_read_only() -> Refusal:
    return Refusal(
        "mwoauth-db-readonly", "The OAuth database is temporarily locked. Please try again in a few minutes."
    )


def wiki_read_only(reason: str) -> Refusal:
    return Refusal(
        "readonlytext",
        "The database is currently locked to new entries and other modifications, probably for routine"
        " database maintenance, after which it will be back to normal.\n"
        f"The system administrator who locked it offered this explanation: {reason}",
    )
