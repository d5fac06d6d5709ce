"""Whether a server is there: the only proof is an answer on its socket."""

from __future__ import annotations

import socket
import struct
from enum import Enum
from pathlib import Path

_PROTOCOL_3 = 196608
_CANNOT_CONNECT_NOW = b"57P03"
"""SQLSTATE while a server starts, recovers or shuts down."""
_PATIENCE = 2.0
"""Seconds for an answer. A loaded machine answers in milliseconds; only a stopped server takes longer."""


class ServerAnswer(Enum):
    """What a server says to a new connection."""

    READY = "ready"
    NOT_NOW = "starting or stopping"
    NONE = "nobody answers"


def ask_server(address: Path, *, user: str, database: str) -> ServerAnswer:
    """Open a session on the socket `address` as far as the first answer, and close it again (about 2 ms).

    A refusal for another reason than starting or stopping (too many connections, a missing database) is an answer of
    a server that is ready. Raises nothing.
    """
    words = b"".join(word.encode() + b"\0" for word in ("user", user, "database", database)) + b"\0"
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_PATIENCE)
            connection.connect(str(address))
            connection.sendall(struct.pack("!ii", 8 + len(words), _PROTOCOL_3) + words)
            kind, length = struct.unpack("!ci", _receive(connection, 5))
            if kind == b"E":
                return (
                    ServerAnswer.NOT_NOW
                    if b"\0C" + _CANNOT_CONNECT_NOW in _receive(connection, length - 4)
                    else ServerAnswer.READY
                )
            connection.sendall(b"X\0\0\0\4")  # Terminate: otherwise the server logs a lost client
            return ServerAnswer.READY
    except (OSError, struct.error):
        return ServerAnswer.NONE


def _receive(connection: socket.socket, size: int) -> bytes:
    """Read exactly `size` bytes, less when the server hangs up."""
    received = b""
    while len(received) < size and (part := connection.recv(size - len(received))):
        received += part
    return received
