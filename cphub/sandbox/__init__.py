"""Small stand-ins for the outside world on loopback, speaking the real protocols: for local use and tests."""
