import os
import subprocess
import sys

import pytest

from tenantry.observability import Metrics


def samples(metrics, name):
    return {
        tuple(sample.labels.values()): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == name
    }


def test_requests_are_counted_by_method_route_and_status():
    metrics = Metrics()
    for status in (200, 200, 404):
        metrics.observe_request("GET", "/items/{id}", status, 0.004)
    assert samples(metrics, "tenantry_http_requests_total") == {
        ("GET", "/items/{id}", "200"): 2,
        ("GET", "/items/{id}", "404"): 1,
    }
    assert samples(metrics, "tenantry_http_request_seconds_sum")["GET", "/items/{id}", "200"] == pytest.approx(0.008)


def test_invented_methods_share_one_label_and_no_memory():
    metrics = Metrics()
    for n in range(100):
        metrics.observe_request(f"EVIL{n}", "unmatched", 405, 0.1)
    assert samples(metrics, "tenantry_http_requests_total") == {("other", "unmatched", "405"): 100}
    assert metrics._series == {}


def test_two_instances_share_nothing():
    one, two = Metrics(), Metrics()
    one.observe_request("GET", "/", 200, 0.1)
    assert samples(two, "tenantry_http_requests_total") == {}


def test_a_pool_is_read_when_metrics_are_asked_for():
    metrics = Metrics()
    size = [3]
    metrics.register_pool("app", size=lambda: size[0], idle=lambda: 1)
    size[0] = 5
    text = metrics.render().decode()
    assert "tenantry_pool_app_connections 5.0" in text
    assert "tenantry_pool_app_connections_idle 1.0" in text


def test_a_name_is_given_once():
    metrics = Metrics()
    metrics.register_gauge("tenantry_x", "X.", lambda: 1)
    with pytest.raises(ValueError, match="Duplicated"):
        metrics.register_gauge("tenantry_x", "X.", lambda: 1)


def test_processes_that_share_a_directory_answer_for_each_other(tmp_path):
    program = "from tenantry.observability import Metrics; m = Metrics(); m.observe_request('GET', '/', 200, 0.1);"
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for _ in range(2):
        shown = subprocess.run(
            [sys.executable, "-c", program + "print(m.render().decode())"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    assert 'tenantry_http_requests_total{method="GET",route="/",status="200"} 2.0' in shown
