from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tenantry.database.embedded import probing
from tenantry.database.embedded.probing import ServerAnswer, ask_server


def error(sqlstate: bytes) -> bytes:
    fields = b"SFATAL\0VFATAL\0C" + sqlstate + b"\0Msorry\0\0"
    return b"E" + (len(fields) + 4).to_bytes(4, "big") + fields


@pytest.fixture
def answering(place: Path) -> Iterator[Callable[[bytes], Path]]:
    """A socket where somebody says the same to everyone."""
    listeners: list[socket.socket] = []

    def answer(what: bytes) -> Path:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(place / "socket"))
        listener.listen()
        listeners.append(listener)

        def serve() -> None:
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1024)
                    connection.sendall(what)
                    connection.recv(1024)

        threading.Thread(target=serve, daemon=True).start()
        return place / "socket"

    yield answer
    for listener in listeners:
        listener.close()


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        (b"R\0\0\0\x08\0\0\0\0", ServerAnswer.READY),
        (error(b"57P03"), ServerAnswer.NOT_NOW),
        (error(b"53300"), ServerAnswer.READY),  # too many connections: it is there
        (b"", ServerAnswer.NONE),
    ],
)
def test_what_a_server_says_tells_whether_it_is_ready(
    answering: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch, said: bytes, meaning: ServerAnswer
) -> None:
    monkeypatch.setattr(probing, "_PATIENCE", 0.5)
    assert ask_server(answering(said), user="postgres", database="postgres") is meaning


def test_where_nobody_listens_nobody_answers(place: Path) -> None:
    assert ask_server(place / "socket", user="postgres", database="postgres") is ServerAnswer.NONE
