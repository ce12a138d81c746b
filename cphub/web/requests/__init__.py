"""The page of a request, and everything that is done from it. The steps of asking are in ``cphub.web.asking``."""

from cphub.web.requests import moves, page, replies, staffing, tasks
from cphub.web.requests.blueprint import bp

__all__ = ["bp", "moves", "page", "replies", "staffing", "tasks"]
