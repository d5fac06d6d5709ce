import io
import json
import logging

import pytest
import structlog

from tenantry.kernel import Environment, context
from tenantry.observability import LogSettings, configure_logging


@pytest.fixture
def restored_logging():
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers, root.level = before[0], before[1]
    structlog.reset_defaults()


@pytest.fixture
def lines(restored_logging):
    stream = io.StringIO()
    configure_logging("info", "json", stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_carries_the_ids_of_the_request(lines):
    token = context.request_id.set("r-1")
    try:
        structlog.get_logger("x").info("something happened", n=1)
    finally:
        context.request_id.reset(token)
    [line] = lines()
    assert line["request_id"] == "r-1"
    assert (line["event"], line["n"], line["level"], line["logger"]) == ("something happened", 1, "info", "x")
    assert "tenant_id" not in line


def test_the_standard_library_writes_the_same_lines(lines):
    logging.getLogger("some.library").warning("pool %s", "postgresql://a:b@c", extra={"api_key": "k"})
    [line] = lines()
    assert line["event"] == "pool postgresql://***@c"
    assert line["api_key"] == "***"
    assert line["level"] == "warning"


def test_a_secret_never_reaches_the_stream(restored_logging):
    stream = io.StringIO()
    configure_logging("info", "json", stream)
    error = raised(RuntimeError("cannot connect to postgresql://app:hunter2@db"))
    structlog.get_logger().error("failed", exc_info=error, password="hunter2", nested={"token": "hunter2"})
    assert "hunter2" not in stream.getvalue()
    assert "RuntimeError" in stream.getvalue()


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_message_cannot_forge_a_line(restored_logging, log_format):
    stream = io.StringIO()
    configure_logging("info", log_format, stream)
    error = raised(RuntimeError("x\nFORGED in the exception"))
    structlog.get_logger().error("name is x\r\nFORGED", exc_info=error)
    assert not [line for line in stream.getvalue().splitlines() if line.startswith("FORGED")]


def test_lines_below_the_level_are_not_written(lines):
    structlog.get_logger().debug("quiet")
    logging.getLogger("lib").debug("quiet")
    assert lines() == []


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match="unknown log level"):
        configure_logging("loud")


def test_the_servers_own_access_log_is_silent(lines):
    logging.getLogger("uvicorn.access").info("GET / 200")
    logging.getLogger("uvicorn.error").info("started")
    assert [line["event"] for line in lines()] == ["started"]


def test_production_writes_json_unless_told_otherwise():
    assert LogSettings().format_for(Environment.PRODUCTION) == "json"
    assert LogSettings().format_for(Environment.DEVELOPMENT) == "console"
    assert LogSettings(format="console").format_for(Environment.PRODUCTION) == "console"


def raised(error):
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value
