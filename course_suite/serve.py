"""``course serve``: the rendered book on this machine's loopback address."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from rich.console import Console

from course_suite.errors import UserError
from course_suite.project import Project


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files, never from a stale cache, and logs nothing."""

    def end_headers(self) -> None:
        """Ask the browser to look again, so that a new build shows at the next reload."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Requests are not news."""


def serve(project: Project, port: int, console: Console) -> None:
    """Serve ``_build/html`` until Ctrl-C.

    Raises:
        UserError: there is no book yet, or the port is taken.
    """
    if not (project.html / "index.html").is_file():
        raise UserError("there is no rendered book yet; run: course build")
    handler = partial(QuietHandler, directory=str(project.html))
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise UserError(
            f"port {port} cannot be used ({error.strerror}); choose another: course serve --port N"
        ) from None
    with server:
        address = f"http://127.0.0.1:{server.server_port}/"
        console.print(f"The book is at {address} (Ctrl-C ends it)", highlight=False, soft_wrap=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            console.print("stopped")
