"""The keys of access tokens: one algorithm for each key, chosen by us; several keys, so that one can be replaced."""

from __future__ import annotations

import hashlib
import hmac
import json
import warnings
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.errors import InvalidKeyTypeError, JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, Key, OctKey, OKPKey, RSAKey

from tenantry.identity.settings import IdentitySettings
from tenantry.kernel import ConfigurationError

TOKEN_TYPE = "at+jwt"  # noqa: S105 - the media type of RFC 9068, not a secret
"""`typ` of access tokens: nothing else that is signed with these keys can be used as one."""

_MIN_RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key with its one algorithm.

    `header` is the first part of every token that this key signs. Tokens are compared with it byte for byte: a header
    that names another algorithm, another type or a key of its own is simply not ours, and is never parsed.
    """

    kid: str
    algorithm: str
    key: Key = field(repr=False)
    registry: jws.JWSRegistry = field(repr=False)
    header: str = field(repr=False)

    @classmethod
    def of(cls, key: Key, algorithm: str, kid: str) -> TokenKey:
        """Return the key with its header; `kid` names it in the tokens."""
        registry = jws.JWSRegistry(algorithms=[algorithm])
        text = json.dumps({"typ": TOKEN_TYPE, "alg": algorithm, "kid": kid}, separators=(",", ":"))
        return cls(kid, algorithm, key, registry, urlsafe_b64encode(text.encode("ascii")).rstrip(b"=").decode("ascii"))

    @property
    def members(self) -> dict[str, str]:
        """The header as joserfc takes it."""
        return {"typ": TOKEN_TYPE, "alg": self.algorithm, "kid": self.kid}

    @property
    def is_private(self) -> bool:
        """Whether the key can sign."""
        return bool(self.key.is_private)


class Keyring:
    """The keys of a moment: the first signs, all verify. Immutable; a change is a new ring."""

    def __init__(self, keys: Sequence[TokenKey]) -> None:
        if not keys or not keys[0].is_private:
            raise ConfigurationError(
                "TENANTRY_IDENTITY_SIGNING_KEYS: the first key has to be private, because it signs."
            )
        if len({key.kid for key in keys}) != len(keys):
            raise ConfigurationError(
                "TENANTRY_IDENTITY_SIGNING_KEYS: a key is named twice, or two keys share one `kid`."
            )
        self.signer = keys[0]
        self._by_header = {key.header: key for key in keys}
        self._keys = tuple(keys)

    def of_header(self, header: str) -> TokenKey | None:
        """Return the key whose tokens begin with `header`, None where it is not one of ours."""
        return self._by_header.get(header)

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """Return the public keys as a JWK set (RFC 7517), for whoever verifies tokens elsewhere."""
        public = [key for key in self._keys if not isinstance(key.key, OctKey)]
        return {
            "keys": [dict(key.key.as_dict(private=False, use="sig", alg=key.algorithm, kid=key.kid)) for key in public]
        }


def keyring_of(settings: IdentitySettings) -> Keyring:
    """Return the ring that the settings describe.

    Raises `ConfigurationError` naming the file or the setting, the reason and the way out.
    """
    if settings.signing_keys:
        return Keyring([read_key(path) for path in settings.signing_keys])
    secret = derived_key(settings, "access tokens")
    kid = hashlib.sha256(secret).hexdigest()[:16]
    return Keyring([TokenKey.of(OctKey.import_key(secret), "HS256", kid)])


def derived_key(settings: IdentitySettings, purpose: str) -> bytes:
    """Return the key of 32 bytes for one purpose: what is made for one is worth nothing for another.

    Raises `ConfigurationError` when there is no secret.
    """
    if settings.secret is None:
        raise ConfigurationError(
            "TENANTRY_IDENTITY_SECRET is not set: set it to the output of: openssl rand -base64 48"
        )
    secret = settings.secret.get_secret_value().encode()
    return hmac.digest(secret, f"tenantry identity: {purpose}".encode(), "sha256")


def read_key(path: Path) -> TokenKey:
    """Return the key in a PEM or JWK file. Its algorithm follows from its type; its `kid` is the JWK's or a thumbprint.

    Raises `ConfigurationError` naming the file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unusable(path, f"it cannot be read ({error.strerror})") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # about short keys, which are refused below
            key = _parsed(content)
    except (JoseError, ValueError, TypeError, KeyError):
        raise _unusable(path, "it holds no PEM or JWK key without a passphrase") from None
    return TokenKey.of(key, _algorithm(key, path), key.kid or key.thumbprint())


def _parsed(content: bytes) -> Key:
    if content.lstrip().startswith(b"{"):
        return JWKRegistry.import_key(json.loads(content))
    for kind in (OKPKey, RSAKey):
        with suppress(InvalidKeyTypeError):
            return kind.import_key(content)
    return ECKey.import_key(content)


def _algorithm(key: Key, path: Path) -> str:
    match key:
        # "Ed25519" is the name of RFC 9864; the older "EdDSA" says nothing about the curve and is deprecated there.
        case OKPKey() if key.curve_name == "Ed25519":
            return "Ed25519"
        case RSAKey() if key.raw_value.key_size >= _MIN_RSA_BITS:
            return "RS256"
        case RSAKey():
            raise _unusable(path, f"its RSA key has fewer than {_MIN_RSA_BITS} bits")
        case _:
            raise _unusable(path, "its key is neither Ed25519 nor RSA")


def _unusable(path: Path, reason: str) -> ConfigurationError:
    way_out = "Make one with: openssl genpkey -algorithm ed25519 -out signing.pem"
    return ConfigurationError(f"TENANTRY_IDENTITY_SIGNING_KEYS: {path.name}: {reason}. {way_out}")
