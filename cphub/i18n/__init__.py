"""The languages of the tool: messages in banana format, and numbers, dates and names the local way."""

from cphub.i18n.catalogue import Catalogue
from cphub.i18n.speaker import Speaker

__all__ = ["Catalogue", "Speaker"]
