"""The only code that talks to the world: the wiki, Phabricator, mail."""
