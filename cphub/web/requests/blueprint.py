"""The blueprint that the modules of this package hang their views on."""

from flask import Blueprint

bp = Blueprint("requests", __name__)
