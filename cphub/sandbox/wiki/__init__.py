"""A small wiki on loopback that people can sign in with, as with a MediaWiki with Extension:OAuth.

Applications meet the real protocol: checked signatures, nonces, clocks, life times, and the exact answers.
People meet one page on which they pick who they are among invented accounts; there are no passwords, so it
must never be reachable from elsewhere.
"""

from cphub.sandbox.wiki.app import create_wiki, require_loopback
from cphub.sandbox.wiki.oauth import WikiConsumer
from cphub.sandbox.wiki.people import GROUPS, WikiPerson, load_people, people_from

__all__ = ["GROUPS", "WikiConsumer", "WikiPerson", "create_wiki", "load_people", "people_from", "require_loopback"]
