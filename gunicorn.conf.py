"""How gunicorn serves the tool; anything here can be overruled on its command line."""

import os

bind = f"0.0.0.0:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
# ToolsDB gives 20 connections in all: 8 here, twice that while a new version starts, and the rest for the
# worker.
workers = 2
threads = 4
# Renewed now and then, so that a slow leak never grows old; not all at once.
max_requests = 5000
max_requests_jitter = 500
# Seconds. What is still running then was not going to be waited for by anybody.
timeout = 60
graceful_timeout = 20
keepalive = 5
# Heartbeats go to memory, because a slow disk would look like a stuck worker.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112
