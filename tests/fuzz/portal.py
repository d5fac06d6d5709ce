"""The application as a place on the network, for code that does not wait: requests go to an event loop in a thread."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import requests
from anyio.from_thread import BlockingPortal
from requests.adapters import HTTPAdapter
from starlette.types import ASGIApp
from tests.fuzz.direct import Request, ask
from urllib3 import HTTPHeaderDict, HTTPResponse

BASE_URL = "http://test"


@dataclass
class Served:
    """An application that answers `session`, and what it answered."""

    app: ASGIApp
    portal: BlockingPortal
    answers: Counter[int] = field(default_factory=Counter)
    """How many answers there were of each status."""

    def session(self) -> requests.Session:
        """Return a session whose requests reach the application without a socket."""
        session = requests.Session()
        session.mount(BASE_URL, _Adapter(self))
        return session


class _Adapter(HTTPAdapter):
    def __init__(self, served: Served) -> None:
        super().__init__()
        self._served = served

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        body = request.body or b""
        asked = Request(
            str(request.method),
            _bytes(request.path_url),
            [(_bytes(name), _bytes(value)) for name, value in request.headers.items()],
            body if isinstance(body, bytes) else body.encode(),
        )
        answer = self._served.portal.call(ask, self._served.app, asked)
        self._served.answers[answer.status] += 1
        headers = HTTPHeaderDict((_text(name), _text(value)) for name, value in answer.headers)
        raw = HTTPResponse(BytesIO(answer.body), headers, answer.status, preload_content=False, reason="")
        return self.build_response(request, raw)


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1", "replace")


def _text(raw: bytes) -> str:
    return raw.decode("latin-1")
