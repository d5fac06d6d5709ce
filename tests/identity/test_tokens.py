"""Access tokens: everything that is not one of ours is refused, without asking the database."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from tenantry.database.pool import ConnectionPool
from tenantry.identity import Identity, Purpose, TokenKey, keyring_of, read_key
from tenantry.identity.tokens import AccessTokens, Claims, seconds_of
from tenantry.kernel import SYSTEM, new_id

from .conftest import START, MakeWorld, Person, World, bearer

pytestmark = pytest.mark.anyio


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def segment(members: Any) -> str:
    return b64(json.dumps(members, separators=(",", ":")).encode())


def unsegment(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


@dataclass
class Forge:
    """What an attacker has (a valid token), and what only we have (the key), for the controls."""

    token: str
    key: TokenKey
    public_pem: bytes
    other: ed25519.Ed25519PrivateKey

    @property
    def header(self) -> dict[str, Any]:
        return dict(unsegment(self.token.split(".")[0]))

    @property
    def claims(self) -> dict[str, Any]:
        return dict(unsegment(self.token.split(".")[1]))

    def sign_as_us(self, claims: dict[str, Any] | str, header: dict[str, Any] | None = None) -> str:
        """Signed with our own key: what a bug or another product with the same key could make."""
        payload = b64(claims.encode()) if isinstance(claims, str) else segment(claims)
        signed = f"{segment(header or self.header)}.{payload}"
        return f"{signed}.{b64(self.key.key.private_key.sign(signed.encode()))}"

    def sign_as_other(self, claims: dict[str, Any], header: dict[str, Any]) -> str:
        signed = f"{segment(header)}.{segment(claims)}"
        return f"{signed}.{b64(self.other.sign(signed.encode()))}"

    def sign_hmac(self, claims: dict[str, Any], header: dict[str, Any], key: bytes) -> str:
        signed = f"{segment(header)}.{segment(claims)}"
        return f"{signed}.{b64(hmac.digest(key, signed.encode(), hashlib.sha256))}"

    def with_exp(self, literal: str) -> str:
        return json.dumps({**self.claims, "exp": "#"}).replace('"#"', literal)

    def other_jwk(self) -> dict[str, str]:
        raw = self.other.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(raw), "kid": str(self.header["kid"])}


def unsigned(forge: Forge, alg: str) -> str:
    return f"{segment({**forge.header, 'alg': alg})}.{forge.token.split('.')[1]}."


NOW = seconds_of(START)
Attack = Callable[[Forge], str]
ATTACKS: dict[str, Attack] = {
    "alg none": lambda f: unsigned(f, "none"),
    "alg None": lambda f: unsigned(f, "None"),
    "alg NONE": lambda f: unsigned(f, "NONE"),
    "alg nOnE": lambda f: unsigned(f, "nOnE"),
    "no alg": lambda f: f"{segment({'typ': 'at+jwt'})}.{f.token.split('.')[1]}.",
    "HS256 with the public key as secret": lambda f: f.sign_hmac(f.claims, {**f.header, "alg": "HS256"}, f.public_pem),
    "HS256 with an empty key": lambda f: f.sign_hmac(f.claims, {**f.header, "alg": "HS256"}, b""),
    "another key under our kid": lambda f: f.sign_as_other(f.claims, f.header),
    "empty signature": lambda f: f.token.rpartition(".")[0] + ".",
    "no signature": lambda f: f.token.rpartition(".")[0],
    "cut signature": lambda f: f.token[:-4],
    "changed payload": lambda f: ".".join(
        (f.token.split(".")[0], segment({**f.claims, "sub": str(new_id())}), f.token.split(".")[2])
    ),
    "kid of a file": lambda f: f.sign_as_other(f.claims, {**f.header, "kid": "../../../dev/null"}),
    "kid of SQL": lambda f: f.sign_as_other(f.claims, {**f.header, "kid": "x' UNION SELECT 'secret"}),
    "kid of an address": lambda f: f.sign_as_other(f.claims, {**f.header, "kid": "http://evil.test/jwks"}),
    "no kid": lambda f: f.sign_as_us(f.claims, {"typ": "at+jwt", "alg": "Ed25519"}),
    "jku": lambda f: f.sign_as_other(f.claims, {**f.header, "jku": "https://evil.test/jwks.json"}),
    "x5u": lambda f: f.sign_as_other(f.claims, {**f.header, "x5u": "https://evil.test/cert.pem"}),
    "embedded jwk": lambda f: f.sign_as_other(f.claims, {**f.header, "jwk": f.other_jwk()}),
    "crit": lambda f: f.sign_as_us(f.claims, {**f.header, "crit": ["exp"]}),
    "b64 false": lambda f: f.sign_as_us(f.claims, {**f.header, "b64": False, "crit": ["b64"]}),
    "expired by a second": lambda f: f.sign_as_us({**f.claims, "exp": NOW - 1}),
    "expires now": lambda f: f.sign_as_us({**f.claims, "exp": NOW}),
    "exp as text": lambda f: f.sign_as_us({**f.claims, "exp": "9999999999"}),
    "exp true": lambda f: f.sign_as_us({**f.claims, "exp": True}),
    "exp NaN": lambda f: f.sign_as_us(f.with_exp("NaN")),
    "exp Infinity": lambda f: f.sign_as_us(f.with_exp("Infinity")),
    "exp 1e400": lambda f: f.sign_as_us(f.with_exp("1e400")),
    "exp of 5,000 digits": lambda f: f.sign_as_us(f.with_exp("9" * 5000)),
    "nbf in the future": lambda f: f.sign_as_us({**f.claims, "nbf": NOW + 60}),
    **{
        f"no {name}": (lambda f, name=name: f.sign_as_us({key: v for key, v in f.claims.items() if key != name}))
        for name in ("exp", "sub", "sid", "jti", "iss", "aud", "iat")
    },
    "wrong aud": lambda f: f.sign_as_us({**f.claims, "aud": "billing"}),
    "list of aud": lambda f: f.sign_as_us({**f.claims, "aud": ["tenantry", "billing"]}),
    "wrong iss": lambda f: f.sign_as_us({**f.claims, "iss": "evil"}),
    "wrong typ": lambda f: f.sign_as_us(f.claims, {**f.header, "typ": "JWT"}),
    "no typ": lambda f: f.sign_as_us(f.claims, {key: v for key, v in f.header.items() if key != "typ"}),
    "sub is no id": lambda f: f.sign_as_us({**f.claims, "sub": "1 OR 1=1"}),
    "sub in another spelling": lambda f: f.sign_as_us({**f.claims, "sub": "{" + f.claims["sub"].upper() + "}"}),
    "sub is a list": lambda f: f.sign_as_us({**f.claims, "sub": [f.claims["sub"]]}),
    "tenant is no id": lambda f: f.sign_as_us({**f.claims, "active_tenant_id": "acme"}),
    "sub twice": lambda f: f.sign_as_us(json.dumps(f.claims)[:-1] + f', "sub": "{new_id()}"}}'),
    "claims are a list": lambda f: f.sign_as_us("[]"),
    "claims are no JSON": lambda f: f.sign_as_us("{"),
    "claims nested deeply": lambda f: f.sign_as_us('{"a":' + "[" * 2500 + "]" * 2500 + "}"),
    "ours, but too long": lambda f: f.sign_as_us({**f.claims, "x": "A" * 7000}),
    "a megabyte": lambda f: f.token + "A" * 1_000_000,
    "just over the limit": lambda f: f.token + "A" * (8193 - len(f.token)),
    "four parts": lambda f: f.token + ".e30",
    "two tokens": lambda f: f"{f.token}{f.token}",
    "padding": lambda f: f.token + "=",
    "JSON form": lambda f: json.dumps({"payload": f.token.split(".")[1], "signatures": []}),
    "only dots": lambda _: "..",
    "a nul": lambda f: f.token.replace(".", "\x00.", 1),
    "letters that are not ASCII": lambda f: f.token + "é",
}


@pytest.fixture
async def forge(make_world: MakeWorld, tmp_path: Path) -> tuple[World, Forge]:
    private = ed25519.Ed25519PrivateKey.generate()
    (tmp_path / "signing.pem").write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    public_pem = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    world = make_world(signing_keys=[tmp_path / "signing.pem"])
    pair = await (await world.person()).sign_in()
    key = read_key(tmp_path / "signing.pem")
    return world, Forge(pair["access_token"], key, public_pem, ed25519.Ed25519PrivateKey.generate())


class Untouchable:
    """Stands in for the control pool: whoever takes a connection is caught."""

    taken = 0


@pytest.fixture
def connections_taken(monkeypatch: pytest.MonkeyPatch) -> type[Untouchable]:
    acquire = ConnectionPool.acquire

    async def counted(pool: ConnectionPool) -> Any:
        Untouchable.taken += 1
        return await acquire(pool)

    Untouchable.taken = 0
    monkeypatch.setattr(ConnectionPool, "acquire", counted)
    return Untouchable


async def test_every_forged_token_is_refused_without_a_database_connection(
    forge: tuple[World, Forge], connections_taken: type[Untouchable]
) -> None:
    world, forger = forge
    accepted = []
    for name, attack in ATTACKS.items():
        token = attack(forger)
        assert token != forger.token, name
        headers = {"Authorization": f"Bearer {token}".encode("latin-1")}
        answer = await world.http.get("/api/v1/me", headers=headers)
        if answer.status_code != 401:
            accepted.append((name, answer.status_code))
    assert accepted == []
    assert connections_taken.taken == 0
    assert len(ATTACKS) >= 25

    control = await world.http.get("/api/v1/me", headers=bearer(forger.token))
    assert control.status_code == 200
    again = forger.sign_as_us(forger.claims)
    assert (await world.http.get("/api/v1/me", headers=bearer(again))).status_code == 200


async def test_no_other_token_of_ours_counts_as_an_access_token(world: World) -> None:
    person = await world.person()
    pair = await person.sign_in()
    async with world.runtime.database.control_scope(actor=SYSTEM) as uow:
        await world.service.links.mail(uow, Purpose.PASSWORD_RESET, person.id, person.email)
    await world.runtime.courier.close()
    for token in (pair["refresh_token"], world.mailbox.token_for(person.email)):
        assert (await world.http.get("/api/v1/me", headers=bearer(token))).status_code == 401
        answer = await world.http.post("/api/v1/auth/refresh", json={"refresh_token": pair["access_token"][:200]})
        assert answer.status_code == 401


async def test_a_token_of_one_user_does_not_open_the_session_of_another(world: World) -> None:
    ada, bob = await world.person(), await world.person()
    pair = await bob.sign_in()
    session = await world.service.authenticator.authenticate(pair["access_token"])
    tokens = AccessTokens(keyring_of(world.settings), issuer="tenantry", audience="tenantry")
    mixed = tokens.issue(
        Claims(ada.id, session.session_id, None, "x", seconds_of(world.clock.now()), seconds_of(world.clock.now()) + 60)
    )
    assert (await world.http.get("/api/v1/me", headers=bearer(mixed))).status_code == 401


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic YTpi", "Token {token}", "{token}", "Bearer{token}"],
)
async def test_only_a_bearer_header_carries_a_token(world: World, header: str) -> None:
    pair = await (await world.person()).sign_in()
    headers = {"Authorization": header.format(token=pair["access_token"])}
    answer = await world.http.get("/api/v1/me", headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_two_authorization_headers_are_refused(world: World) -> None:
    pair = await (await world.person()).sign_in()
    one = ("Authorization", f"Bearer {pair['access_token']}")
    assert (await world.http.get("/api/v1/me", headers=[one])).status_code == 200
    assert (await world.http.get("/api/v1/me", headers=[one, one])).status_code == 401


async def test_an_access_token_works_until_the_second_it_expires(world: World) -> None:
    pair = await (await world.person()).sign_in()
    assert pair["expires_in"] == 600
    world.advance(seconds=599)
    assert (await world.http.get("/api/v1/me", headers=bearer(pair))).status_code == 200
    world.advance(seconds=1)
    assert (await world.http.get("/api/v1/me", headers=bearer(pair))).status_code == 401


async def test_equal_token_ids_in_two_tenants_stay_two_identities(world: World) -> None:
    ada = await world.person(tenants=(world.acme, world.globex))
    session = await world.service.authenticator.authenticate((await ada.sign_in())["access_token"])
    tokens = AccessTokens(keyring_of(world.settings), issuer="tenantry", audience="tenantry")
    now = seconds_of(world.clock.now())

    async def of(tenant: UUID) -> Identity:
        token = tokens.issue(Claims(ada.id, session.session_id, tenant, "same", now, now + 60))
        return await world.service.authenticator.authenticate(token)

    first, second, again = await of(world.acme), await of(world.globex), await of(world.acme)
    assert (first.active_tenant_id, second.active_tenant_id) == (world.acme, world.globex)
    assert first == again


async def test_rsa_keys_sign_and_verify_too(make_world: MakeWorld, tmp_path: Path) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (tmp_path / "rsa.pem").write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    world = make_world(signing_keys=[tmp_path / "rsa.pem"])
    person: Person = await world.person()
    pair = await person.sign_in()
    assert unsegment(pair["access_token"].split(".")[0])["alg"] == "RS256"
    assert (await world.http.get("/api/v1/me", headers=bearer(pair))).status_code == 200
