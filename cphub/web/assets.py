"""Stylesheets, scripts and icons: each under an address with its own hash, which browsers keep for ever.

The plain address works, too, for scripts that import one another; browsers ask again for it after a minute.
"""

import re
from hashlib import sha256
from pathlib import Path
from typing import Any
from wsgiref.headers import Headers

from flask import Flask
from whitenoise import WhiteNoise
from whitenoise.responders import StaticFile

_COMPRESSED = {"gzip": ".gz", "br": ".br"}
_HASHED = re.compile(r"\.[0-9a-f]{12}\.\w+$")


def init_app(app: Flask) -> None:
    """Serve the static folder as it is now, and give templates ``asset(name)``, the address of a file."""
    folder = Path(app.static_folder or "")
    server = _Files(
        app.wsgi_app,
        allow_all_origins=False,
        immutable_file_test=lambda path, url: bool(_HASHED.search(url)),
    )
    addresses: dict[str, str] = {}
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix not in _COMPRESSED.values():
            name = path.relative_to(folder).as_posix()
            version = sha256(path.read_bytes()).hexdigest()[:12]
            addresses[name] = f"{app.static_url_path}/{name.removesuffix(path.suffix)}.{version}{path.suffix}"
            for address in (addresses[name], f"{app.static_url_path}/{name}"):
                server.add_file_to_dictionary(address, str(path))
    app.wsgi_app = server  # type: ignore[method-assign]
    app.jinja_env.globals["asset"] = lambda name: addresses.get(name, f"{app.static_url_path}/{name}")


class _Files(WhiteNoise):  # type: ignore[misc]
    """Takes the compressed copy beside a file only if it is not older than the file: one may have been edited since."""

    def get_static_file(self, path: str, url: str, stat_cache: Any = None) -> StaticFile:
        headers = Headers([])
        self.add_mime_headers(headers, path, url)
        self.add_cache_headers(headers, path, url)
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        written = Path(path).stat().st_mtime
        copies = {encoding: Path(path + suffix) for encoding, suffix in _COMPRESSED.items()}
        fresh = {
            encoding: str(copy)
            for encoding, copy in copies.items()
            if copy.is_file() and copy.stat().st_mtime >= written
        }
        return StaticFile(path, headers.items(), encodings=fresh)
