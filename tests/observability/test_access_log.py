import json

from tenantry.observability import AccessLog

ARGS = ("r-1", "t-1", None, "GET", "/items/{id}", 200, 0.00123, 42)


class Kept(list):
    def write(self, line):
        self.append(line)


def written(log_format, *args):
    sink = Kept()
    AccessLog(sink, log_format, now=lambda: 1_700_000_000.25).write(*args)
    return sink[0]


def test_a_line_is_one_json_object():
    assert json.loads(written("json", *ARGS)) == {
        "time": "2023-11-14T22:13:20.250Z",
        "level": "info",
        "event": "request",
        "request_id": "r-1",
        "tenant_id": "t-1",
        "actor_id": None,
        "method": "GET",
        "path": "/items/{id}",
        "status": 200,
        "duration_ms": 1.23,
        "bytes": 42,
    }


def test_hostile_values_stay_inside_their_member():
    for evil in ('"}\r\n{"event":"forged"', "\x00\x1b[2J\u2028", "\ud800"):
        line = written("json", evil, evil, evil, evil, evil, 200, 0.1, 0)
        assert line.count("\n") == 1
        assert line.isascii()
        parsed = json.loads(line)
        assert [parsed[name] for name in ("request_id", "tenant_id", "actor_id", "method", "path")] == [evil] * 5
        assert written("console", evil, evil, evil, evil, evil, 200, 0.1, 0).count("\n") == 1


def test_a_long_path_is_cut():
    assert len(json.loads(written("json", "r", None, None, "GET", "/" * 100_000, 404, 0.1, 0))["path"]) == 201


def test_the_console_shows_a_line_for_people():
    assert written("console", *ARGS) == (
        "2023-11-14T22:13:20.250Z 200 GET    /items/{id} 1.2 ms 42 B request=r-1 tenant=t-1\n"
    )
