"""The rules of the hub, as pure functions over small frozen values: no Flask, no database, no clock, no I/O."""
