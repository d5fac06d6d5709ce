"""Passwords: Argon2id in threads, a few at a time, with equal work whether or not there is an account."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from tenantry.identity.errors import PasswordsBusy

T = TypeVar("T")

MEMORY_KIB = 19 * 1024
ITERATIONS = 2
LANES = 1
"""The first set of parameters of the OWASP password storage sheet: 19 MiB, two passes, one lane."""

UNUSABLE_PASSWORD = "!"  # noqa: S105 - what stands where there is none
"""Stored where there is no password; equal to no hash."""

MAX_PASSWORD = 128
"""Characters of a password; longer ones are wrong without being hashed."""


@dataclass(frozen=True, slots=True)
class PasswordCheck:
    """Whether a password was right, and its hash with today's parameters if the stored one is older."""

    is_right: bool
    new_hash: str | None = None


class Passwords:
    """Hashes and verifies; one for a process.

    Memory and threads are bounded: `slots` at the same time (19 MiB each), `queue` waiting, then `PasswordsBusy`.
    Measured without a limit: 40 threads of the default pool took 2.4 GB for 10 logins a second.
    """

    def __init__(self, *, slots: int, queue: int) -> None:
        self._hash = PasswordHash([Argon2Hasher(time_cost=ITERATIONS, memory_cost=MEMORY_KIB, parallelism=LANES)])
        self._limiter = CapacityLimiter(slots)
        self._room = slots + queue
        self._present = 0
        self._dummy = self._hash.hash("")

    async def hash(self, password: str) -> str:
        """Return the hash to store for `password`."""
        return await self._in_thread(lambda: self._hash.hash(_encoded(password)))

    async def verify(self, password: str, stored: str | None) -> PasswordCheck:
        """Tell whether `password` belongs to the hash `stored`; None (no account) takes as long, and is never right."""
        if len(password) > MAX_PASSWORD:
            return PasswordCheck(is_right=False)
        known = stored is not None and stored != UNUSABLE_PASSWORD
        candidate = stored if known and stored is not None else self._dummy
        right, new_hash = await self._in_thread(lambda: self._hash.verify_and_update(_encoded(password), candidate))
        return PasswordCheck(True, new_hash) if known and right else PasswordCheck(is_right=False)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._present >= self._room:
            raise PasswordsBusy(retry_after=1)
        self._present += 1
        try:
            return await to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._present -= 1


def _encoded(password: str) -> bytes:
    # RFC 8265: one form for what different keyboards send. A lone surrogate cannot be a password that was stored, and
    # must not be a failure either.
    return unicodedata.normalize("NFC", password).encode(errors="surrogatepass")
