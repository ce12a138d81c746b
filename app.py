"""The WSGI entry point, for gunicorn and for ``flask --app app``."""

from cphub import create_app

app = create_app()
