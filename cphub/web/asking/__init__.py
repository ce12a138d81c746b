"""Asking for help: the guided form, what follows once it is sent, and correcting it afterwards."""

import cphub.web.asking.form
import cphub.web.asking.sent  # noqa: F401 - both modules add their views to the blueprint
from cphub.web.asking.blueprint import bp

__all__ = ["bp"]
