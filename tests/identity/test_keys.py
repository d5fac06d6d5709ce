"""Signing keys from files, and what is refused about them and the other settings."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from joserfc.jwk import OKPKey
from pydantic import SecretStr, ValidationError

from tenantry.identity import IdentitySettings, Keyring, keyring_of, read_key
from tenantry.identity.tokens import AccessTokens, Claims
from tenantry.kernel import ConfigurationError, Environment, load_settings, new_id

from .conftest import SECRET, START, MakeWorld

GOOD = "Nq7t0pY2mWc4Zr8vKx1bHs6dJf9gLe3aUo5iTnQd"


def write(path: Path, key: object, *, private: bool = True) -> Path:
    encoding = serialization.Encoding.PEM
    if private:
        content = key.private_bytes(  # type: ignore[attr-defined]
            encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    else:
        content = key.public_key().public_bytes(  # type: ignore[attr-defined]
            encoding, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    path.write_bytes(content)
    return path


def openssl(path: Path) -> Path:
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(path)], check=True)
    return path


def test_the_command_that_the_errors_name_makes_a_key_that_works(tmp_path: Path) -> None:
    ring = keyring_of(IdentitySettings(signing_keys=(openssl(tmp_path / "signing.pem"),)))
    tokens = AccessTokens(ring, issuer="i", audience="a")
    claims = Claims(new_id(), new_id(), None, "x", 1, int(START.timestamp()) + 1)
    assert tokens.verify(tokens.issue(claims), START) == claims
    assert ring.signer.algorithm == "Ed25519"


def test_the_header_of_a_token_is_the_one_that_is_compared(tmp_path: Path) -> None:
    for ring in (
        keyring_of(IdentitySettings(secret=SECRET)),
        keyring_of(IdentitySettings(signing_keys=(openssl(tmp_path / "signing.pem"),))),
    ):
        token = AccessTokens(ring, issuer="i", audience="a").issue(Claims(new_id(), new_id(), None, "x", 1, 2))
        assert token.split(".")[0] == ring.signer.header


def test_published_keys_are_public(tmp_path: Path) -> None:
    jwk = OKPKey.generate_key("Ed25519", {"kid": "next"})
    (tmp_path / "next.json").write_text(json.dumps(jwk.as_dict(private=True)))
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    files = (
        openssl(tmp_path / "signing.pem"),
        tmp_path / "next.json",
        write(tmp_path / "old.pem", private, private=False),
    )
    published = keyring_of(IdentitySettings(signing_keys=files)).jwks()["keys"]
    assert [(key["kty"], key["alg"], key["use"]) for key in published] == [
        ("OKP", "Ed25519", "sig"),
        ("OKP", "Ed25519", "sig"),
        ("RSA", "RS256", "sig"),
    ]
    assert published[1]["kid"] == "next"
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & {name for key in published for name in key}
    assert keyring_of(IdentitySettings(secret=SECRET)).jwks() == {"keys": []}


@pytest.mark.anyio
async def test_the_public_keys_are_served(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(signing_keys=[openssl(tmp_path / "signing.pem")])
    answer = await world.http.get("/api/v1/auth/jwks")
    assert (answer.status_code, answer.json()) == (200, world.service.jwks())
    assert len(answer.json()["keys"]) == 1


def test_a_key_file_that_cannot_be_used_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "noise.pem").write_bytes(b"noise")
    (tmp_path / "empty.pem").write_bytes(b"")
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "broken.json").write_text('{"kty": "OKP"}')
    (tmp_path / "oct.json").write_text('{"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"}')
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    reasons = {
        tmp_path / "missing.pem": "cannot be read",
        tmp_path: "cannot be read",
        tmp_path / "noise.pem": "no PEM or JWK key",
        tmp_path / "empty.pem": "no PEM or JWK key",
        tmp_path / "list.json": "no PEM or JWK key",
        tmp_path / "broken.json": "no PEM or JWK key",
        tmp_path / "oct.json": "neither Ed25519 nor RSA",
        write(tmp_path / "curve.pem", ec.generate_private_key(ec.SECP256R1())): "neither Ed25519 nor RSA",
        write(tmp_path / "ed448.pem", ed448.Ed448PrivateKey.generate()): "neither Ed25519 nor RSA",
        write(tmp_path / "small.pem", small): "fewer than 2048 bits",
    }
    for path, reason in reasons.items():
        with pytest.raises(ConfigurationError, match=reason) as refused:
            read_key(path)
        assert path.name in str(refused.value)
        assert "openssl genpkey" in str(refused.value)


def test_a_ring_needs_a_private_key_first_and_no_key_twice(tmp_path: Path) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = read_key(write(tmp_path / "public.pem", private, private=False))
    with pytest.raises(ConfigurationError, match="private"):
        Keyring([public])
    with pytest.raises(ConfigurationError, match="private"):
        Keyring([])
    with pytest.raises(ConfigurationError, match="twice"):
        Keyring([read_key(write(tmp_path / "private.pem", private)), public])


def test_keys_for_different_purposes_differ() -> None:
    ring = keyring_of(IdentitySettings(secret=SECRET))
    assert SECRET.get_secret_value() not in repr(ring.signer)
    assert ring.signer.key.raw_value != SECRET.get_secret_value().encode()


def test_without_a_secret_nothing_starts() -> None:
    with pytest.raises(ConfigurationError, match="TENANTRY_IDENTITY_SECRET is not set"):
        keyring_of(IdentitySettings())


@pytest.mark.parametrize("secret", ["", "short", "x" * 31])
def test_a_short_secret_is_refused_everywhere(secret: str) -> None:
    with pytest.raises(ValidationError, match="at least 32 bytes") as refused:
        IdentitySettings(secret=SecretStr(secret))
    assert secret == "" or f"'{secret}'" not in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"secret": None}, "TENANTRY_IDENTITY_SECRET is not set"),
        ({"secret": SecretStr("abc" * 20)}, "TENANTRY_IDENTITY_SECRET repeats"),
        ({"secret": SecretStr("changethis-Nq7t0pY2mWc4Zr8vKx1bHs6dJf9g")}, "looks like a placeholder"),
        ({"signing_keys": ()}, "TENANTRY_IDENTITY_SIGNING_KEYS is not set"),
        ({"issuer": "http://id.example.com"}, "TENANTRY_IDENTITY_ISSUER"),
        ({"reset_link": "http://app.example.com/reset#"}, "TENANTRY_IDENTITY_RESET_LINK"),
        ({"verification_link": "HTTP://app.example.com/v#"}, "TENANTRY_IDENTITY_VERIFICATION_LINK"),
    ],
)
def test_production_refuses_what_is_only_fit_for_development(changes: dict[str, object], named: str) -> None:
    fit = {"secret": SecretStr(GOOD), "signing_keys": (Path("signing.pem"),), "issuer": "https://id.example.com"}
    assert IdentitySettings(**fit).problems(Environment.PRODUCTION) == []
    unfit = IdentitySettings(**{**fit, **changes})
    (problem,) = unfit.problems(Environment.PRODUCTION)
    assert named in problem
    assert unfit.problems(Environment.DEVELOPMENT) == []


def test_settings_are_read_from_the_environment() -> None:
    variables = {
        "TENANTRY_SECRET": GOOD,
        "TENANTRY_SIGNING_KEYS": "/run/a.pem, /run/b.pem",
        "TENANTRY_ACCESS_MINUTES": "5",
    }
    settings = load_settings(IdentitySettings, variables)
    assert settings.signing_keys == (Path("/run/a.pem"), Path("/run/b.pem"))
    assert settings.access_lifetime.total_seconds() == 300
    assert GOOD not in repr(settings)
