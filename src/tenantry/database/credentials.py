"""Generated passwords of the database roles, kept in the data directory of a development installation."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from tenantry.database.roles import DatabaseRole
from tenantry.kernel import ConfigurationError

FILE_NAME = "credentials.json"

_ITERATIONS = 4096
"""PostgreSQL's own number (`scram_iterations`); the passwords made here have 256 random bits."""


def kept_passwords(data_dir: Path) -> dict[DatabaseRole, str]:
    """Return the passwords in `data_dir`, making them when there are none.

    The file is readable by its owner alone (0600). When two processes start at once, the first to write wins and both
    return the same passwords. Raises `ConfigurationError` for a file that others may read or that is not ours.
    """
    path = data_dir / FILE_NAME
    if not path.exists():
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_once(path, {role: secrets.token_urlsafe(32) for role in DatabaseRole})
    if path.stat().st_mode & 0o077:
        raise ConfigurationError(f"{path} holds passwords and others may read it. Run: chmod 600 {path}")
    try:
        kept = json.loads(path.read_text())
        return {role: str(kept[role.value]) for role in DatabaseRole}
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(
            f"{path} does not hold the passwords of the five database roles. Restore it, or remove it and set new "
            "passwords for the roles."
        ) from None


def scram_verifier(password: str, *, salt: bytes | None = None) -> str:
    """Return what PostgreSQL stores for a password, so that the password itself is never part of a statement.

    Statements may be written to the server's log; a verifier there lets nobody sign in.

    >>> scram_verifier("secret", salt=b"0123456789abcdef")[:44]
    'SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==$'
    """
    salt = secrets.token_bytes(16) if salt is None else salt
    prepared = unicodedata.normalize("NFKC", password).encode()
    salted = hashlib.pbkdf2_hmac("sha256", prepared, salt, _ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${_ITERATIONS}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def _write_once(path: Path, passwords: Mapping[DatabaseRole, str]) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump({role.value: password for role, password in passwords.items()}, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # unlike a rename, a link fails when another process was first
    except FileExistsError:
        return
    finally:
        draft.unlink()
