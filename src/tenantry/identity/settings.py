"""Settings of identity: secrets, signing keys, lifetimes and limits."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator

from tenantry.kernel import LISTED, Environment, SettingsGroup

_MIN_SECRET = 32
_MIN_DISTINCT = 10
_PLACEHOLDERS = ("change", "secret", "password", "example", "default", "insecure", "placeholder")


class IdentitySettings(SettingsGroup):
    """``TENANTRY_IDENTITY_…``."""

    secret: SecretStr | None = None
    """At least 32 random bytes, from which the keys of refresh tokens (and, in development, of access tokens) are
    derived. No default: in development the application keeps a generated one in its data directory."""
    signing_keys: Annotated[tuple[Path, ...], LISTED] = ()
    """Files with the keys of access tokens: PEM or JWK, Ed25519 or RSA (2048 bits and more). The first one signs and is
    private; the others are accepted, so that a key can be replaced without signing anybody out. Empty: HS256 with a key
    derived from the secret, in development only."""
    issuer: str = Field(default="tenantry", min_length=1, max_length=200)
    """`iss` of access tokens: who made them."""
    audience: str = Field(default="tenantry", min_length=1, max_length=200)
    """`aud` of access tokens: who they are for."""
    access_minutes: int = Field(default=10, ge=1, le=60)
    """How long an access token is valid."""
    idle_days: float = Field(default=14, gt=0, le=365)
    """A session ends when its refresh token was not used for this time."""
    session_days: float = Field(default=90, gt=0, le=3650)
    """A session ends after this time, however much it is used."""
    grace_seconds: float = Field(default=10, ge=0, le=60)
    """For how long the refresh token that was just replaced gets the same answer again: an answer can be lost."""
    verification_hours: float = Field(default=72, gt=0, le=720)
    """How long the link that verifies an e-mail address is valid."""
    reset_minutes: float = Field(default=30, gt=0, le=1440)
    """How long the link that resets a password is valid."""
    verification_link: str | None = Field(default=None, max_length=500)
    """Page that the verification mail links to; the token is appended (``https://app.example.com/verify#``). None: the
    mail shows the token alone."""
    reset_link: str | None = Field(default=None, max_length=500)
    """Page that the mail for a new password links to; the token is appended."""
    login_failures_per_account: int = Field(default=10, ge=2, le=10_000)
    """Wrong passwords that one account may see in any minute, from addresses it was never used from."""
    login_failures_per_address: int = Field(default=30, ge=2, le=100_000)
    """Wrong passwords that may come from one address in any minute, over all accounts."""
    registrations_per_address: int = Field(default=120, ge=2, le=100_000)
    """Registrations from one address in any minute."""
    resets_per_account: int = Field(default=10, ge=2, le=10_000)
    """Mails for a new password that one address of mail gets in any hour."""
    links_per_address: int = Field(default=60, ge=2, le=100_000)
    """Requests and uses of links (verification, new password) from one address in any minute."""
    hashing_slots: int = Field(default=2, ge=1, le=64)
    """Passwords that are hashed at the same time; each takes 19 MiB and one core."""
    hashing_queue: int = Field(default=64, ge=1, le=10_000)
    """Passwords that wait to be hashed; more are answered 503."""

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value().encode()) < _MIN_SECRET:
            raise ValueError(f"use at least {_MIN_SECRET} bytes, e.g. the output of: openssl rand -base64 48")
        return secret

    @property
    def access_lifetime(self) -> timedelta:
        """How long an access token is valid."""
        return timedelta(minutes=self.access_minutes)

    def problems(self, environment: Environment) -> list[str]:
        """Return everything that forbids a start in `environment`, each with the way out; values are not shown.

        >>> for problem in IdentitySettings().problems(Environment.PRODUCTION): print(problem)
        TENANTRY_IDENTITY_SECRET is not set: set it to the output of: openssl rand -base64 48
        TENANTRY_IDENTITY_SIGNING_KEYS is not set: make a key with: openssl genpkey -algorithm ed25519 -out signing.pem
        """
        if environment is not Environment.PRODUCTION:
            return []
        found = [self._problem_of_secret()]
        if not self.signing_keys:
            found.append(
                "TENANTRY_IDENTITY_SIGNING_KEYS is not set: "
                "make a key with: openssl genpkey -algorithm ed25519 -out signing.pem"
            )
        if self.issuer.lower().startswith("http://"):
            found.append("TENANTRY_IDENTITY_ISSUER is an http address: use its https address")
        found += [
            f"TENANTRY_IDENTITY_{name} is an http address: the token would travel in the open, use https"
            for name, link in (("VERIFICATION_LINK", self.verification_link), ("RESET_LINK", self.reset_link))
            if link is not None and link.lower().startswith("http://")
        ]
        return [problem for problem in found if problem]

    def _problem_of_secret(self) -> str:
        way_out = "set it to the output of: openssl rand -base64 48"
        if self.secret is None:
            return f"TENANTRY_IDENTITY_SECRET is not set: {way_out}"
        secret = self.secret.get_secret_value()
        if len(set(secret)) < _MIN_DISTINCT:
            return f"TENANTRY_IDENTITY_SECRET repeats a few characters: {way_out}"
        if any(word in secret.lower() for word in _PLACEHOLDERS):
            return f"TENANTRY_IDENTITY_SECRET looks like a placeholder: {way_out}"
        return ""
