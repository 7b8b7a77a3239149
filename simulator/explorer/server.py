"""The server of the page: this machine only, with a token, for no other origin. It reads no file that a request names.

Tornado, the server of Jupyter, is one package without others behind it: HTTP, WebSocket, and a client for the tests.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import tornado.web
import tornado.websocket
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets

from simulator.explorer.session import Message, Session
from simulator.explorer.sources import Source
from simulator.report.style import COLOURS

ADDRESS, NAME = "127.0.0.1", "localhost"
PAGE = Path(__file__).parent / "page"
LARGEST = 1 << 16
"""Bytes of a message to the server."""
MOST_TABS = 16
QUIET = 30
"""Seconds between signs of life that a tab must answer."""


class Guarded(tornado.web.RequestHandler):
    """Answers only who addresses this machine by its name and has the token."""

    def initialize(self, explorer: Explorer) -> None:
        """Take the explorer that it belongs to."""
        self.explorer = explorer

    def prepare(self) -> None:
        """Refuse other hosts, which is how another site would reach this machine, and other tokens."""
        if self.request.headers.get("Host", "") not in self.explorer.hosts:
            raise tornado.web.HTTPError(403, reason="Not for this host")
        given = self.get_query_argument("token", "")
        if not hmac.compare_digest(given.encode(), self.explorer.token.encode()):
            raise tornado.web.HTTPError(403, reason="Wrong or no token: open the address that als-sim explore printed")

    def write_error(self, status_code: int, **_: Any) -> None:
        """One line of plain text."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code} {self._reason}\n")

    def set_default_headers(self) -> None:
        """Nothing is kept, nothing is guessed, nothing is told to others."""
        for name, value in (
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Server", "als-sim"),
        ):
            self.set_header(name, value)


class Page(Guarded):
    """The page, whole: it loads nothing more."""

    def get(self) -> None:
        """Send the page with a rule that it runs its own script only and talks to this server only."""
        once = secrets.token_urlsafe(16)
        rules = {
            "default-src": "'none'",
            "script-src": f"'nonce-{once}'",
            "style-src": f"'nonce-{once}'",
            "img-src": "data:",
            "connect-src": " ".join(f"ws://{host}" for host in self.explorer.hosts),
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": f"'self' http://{ADDRESS}:* http://{NAME}:*",
        }
        self.set_header("Content-Security-Policy", "; ".join(f"{key} {value}" for key, value in rules.items()))
        self.finish(page().replace("{{once}}", once))


class Nothing(Guarded):
    """Everything else."""

    def get(self) -> None:
        """There is one page."""
        raise tornado.web.HTTPError(404, reason="There is one page, /")


class Socket(tornado.websocket.WebSocketHandler, Guarded):
    """The wire of one tab."""

    session: Session | None = None

    def check_origin(self, origin: str) -> bool:
        """Only the page itself may talk to its server."""
        return origin in {f"http://{host}" for host in self.explorer.hosts}

    def prepare(self) -> None:
        """As for the page; and a wire that says no origin is not the page's."""
        super().prepare()
        if "Origin" not in self.request.headers:
            raise tornado.web.HTTPError(403, reason="No origin")

    def open(self, *_: str) -> None:
        """Begin a session for the tab."""
        if len(self.explorer.tabs) >= MOST_TABS:
            self.write_message(json.dumps({"kind": "fault", "message": f"{MOST_TABS} tabs are open. Close one"}))
            self.close()
            return
        loop = IOLoop.current()

        def send(message: Message) -> None:
            loop.add_callback(self._write, json.dumps(message, allow_nan=False))

        self.session = Session(self.explorer.source, send)
        self.explorer.tabs.add(self)

    async def _write(self, text: str) -> None:
        try:
            await self.write_message(text)
        except tornado.websocket.WebSocketClosedError:
            self.on_close()

    def on_message(self, text: str | bytes) -> None:
        """Hand on what the tab asks."""
        try:
            message = json.loads(text)
        except ValueError:
            message = None
        if self.session is not None:
            self.session.ask(message)

    def on_close(self) -> None:
        """A closed tab ends its work."""
        self.explorer.tabs.discard(self)
        if self.session is not None:
            self.session.close()


class Explorer:
    """The server of one start of the explorer.

    Parameters
    ----------
    source : Source
        What a tab shows first.
    port : int
        0: one that is free.
    """

    def __init__(self, source: Source, port: int = 0) -> None:
        self.source = source
        self.token = secrets.token_urlsafe(24)
        self.tabs: set[Socket] = set()
        self._sockets = bind_sockets(port, ADDRESS)
        self.port = int(self._sockets[0].getsockname()[1])
        self.hosts = (f"{ADDRESS}:{self.port}", f"{NAME}:{self.port}")

    @property
    def address(self) -> str:
        """The address of the page, with its token."""
        return f"http://{self.hosts[0]}/?token={self.token}"

    def begin(self) -> HTTPServer:
        """Answer requests from now on, in the running event loop."""
        mine = {"explorer": self}
        routes: list[Any] = [(r"/", Page, mine), (r"/socket", Socket, mine), (r".*", Nothing, mine)]
        application = tornado.web.Application(
            routes,
            websocket_max_message_size=LARGEST,
            websocket_ping_interval=QUIET,
            log_function=lambda handler: None,
        )
        server = HTTPServer(application, max_body_size=LARGEST)
        server.add_sockets(self._sockets)
        return server

    async def serve(self, ready: Callable[[], None] = lambda: None) -> None:
        """Answer until cancelled; `ready` is called when the page can be opened."""
        server = self.begin()
        try:
            ready()
            await asyncio.Event().wait()
        finally:
            for tab in tuple(self.tabs):
                tab.on_close()
            server.stop()


@cache
def page() -> str:
    """The page with its script and its style; `{{once}}` stands where the rule's word goes."""
    parts = {name: (PAGE / name).read_text("utf-8") for name in ("page.html", "page.css", "page.js", "draw.js")}
    for mode in ("light", "dark"):
        colours = "".join(f"--{name}:{getattr(colour, mode)};" for name, colour in COLOURS.items())
        parts["page.css"] = parts["page.css"].replace(f"/*{mode}*/", colours)
    text = parts["page.html"].replace("/*style*/", parts["page.css"])
    return text.replace("/*script*/", f"{parts['draw.js']}\n{parts['page.js']}")
