"""What runs beside the web: the worker and the command line."""

from flask import Flask

from cphub.jobs import commands


def init_app(app: Flask) -> None:
    """Register the command-line groups."""
    commands.init_app(app)
