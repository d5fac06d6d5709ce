import time

import pytest

from tenantry.observability import MASK, escape_controls, is_secret_key, redact, redact_text
from tenantry.observability.redaction import redact_event

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcDEF_123-x"


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "new_password",
        "refresh_token",
        "Authorization",
        "Set-Cookie",
        "api_key",
        "X-API-Key",
        "client_secret",
        "private_key",
        "dsn",
    ],
)
def test_a_value_under_a_secret_key_is_masked(key):
    assert redact({key: "hunter2"}) == {key: MASK}


def test_a_harmless_key_is_kept():
    assert not is_secret_key("name")
    assert redact({"name": "Ada", "count": 3, "ok": True, "none": None}) == {
        "name": "Ada",
        "count": 3,
        "ok": True,
        "none": None,
    }


def test_secrets_are_found_at_depth():
    assert redact({"a": [{"password": "hunter2"}]}) == {"a": [{"password": MASK}]}


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"got {JWT} from client", JWT),
        ("Authorization: Bearer abcdefghijk123", "abcdefghijk123"),
        ("postgresql+asyncpg://app:s3cr3t@db.internal:5432/x", "s3cr3t"),
        ("postgresql://app:p@ss@db/x", "p@ss"),
        ("redis://:hunter2@cache", "hunter2"),
        ("password=hunter2 host=db", "hunter2"),
        ('{"token": "hunter2"}', "hunter2"),
        ("1 validation error\n  bad [type=x, input_value='hunter2', input_type=str]", "hunter2"),
        ("DETAIL:  Key (email)=(ada@x.test) already exists.", "ada@x.test"),
    ],
)
def test_text_that_looks_like_a_secret_is_masked(text, secret):
    assert secret not in redact_text(text)
    assert MASK in redact_text(text)


def test_a_url_without_a_password_is_kept():
    assert redact_text("GET https://example.test/a?b=c@d") == "GET https://example.test/a?b=c@d"


def test_control_characters_cannot_start_a_line_or_steer_a_terminal():
    text = "ok\r\n{}\x1b[2J\u2028\u202e\ud800\x00"
    assert escape_controls(text) == "ok\\r\\n{}\\x1b[2J\\u2028\\u202e\\ud800\\x00"


def test_an_object_is_shown_as_redacted_text():
    class Leaky:
        def __str__(self):
            return "postgresql://a:b@c"

    assert redact(Leaky()) == f"postgresql://{MASK}@c"


def test_a_long_traceback_keeps_its_end():
    event = redact_event(None, "error", {"exception": "line\n" * 10_000 + "ValueError: the reason"})
    assert event["exception"].endswith("    ValueError: the reason")
    assert len(event["exception"]) < 40_000


@pytest.mark.parametrize("text", ["eyJ" * 50_000, "password" * 20_000, "a://" + "a:" * 60_000, "Key (" * 20_000])
def test_redaction_is_linear(text):
    began = time.process_time()
    redact_text(text)
    assert time.process_time() - began < 0.5
