"""Use cases: one public function is one transaction and one commit; the event and its consequences go in together."""
