"""Signed-in people, without a wiki to sign in at."""

from dataclasses import dataclass

from flask import Flask, session
from flask_wtf.csrf import generate_csrf

from cphub.web.current import PERSON


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A browser's cookie, and the token its forms carry."""

    cookie: str
    csrf_token: str


def sign_in(app: Flask, person: int) -> SignedIn:
    """As if the person had come back from the wiki."""
    with app.test_request_context():
        session[PERSON] = person
        token = generate_csrf()
        response = app.response_class()
        app.session_interface.save_session(app, session, response)
    return SignedIn(response.headers["Set-Cookie"].split(";", 1)[0], token)
