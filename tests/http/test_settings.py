import pytest

from tenantry.http import HttpSettings, ResponseStyle, cors_middleware
from tenantry.kernel import ConfigurationError, Environment, SettingsGroup, load_settings


class Composed(SettingsGroup):
    http: HttpSettings = HttpSettings()


def loaded(**environ):
    return load_settings(Composed, {f"TENANTRY_HTTP_{name.upper()}": value for name, value in environ.items()}).http


@pytest.mark.parametrize("value", ["https://a.test,http://b.test:3000", ' ["https://a.test", "http://b.test:3000"]'])
def test_origins_come_from_a_list_or_json(value):
    assert loaded(cors_origins=value).cors_origins == ("https://a.test", "http://b.test:3000")


def test_any_origin_together_with_credentials_is_refused():
    with pytest.raises(ConfigurationError, match="any page could act as the user"):
        loaded(cors_origins="*", cors_credentials="true")
    assert loaded(cors_origins="*").cors_origins == ("*",)


@pytest.mark.parametrize(
    "value", ["a.test", "https://a.test/", "https://a.test/x", "ftp://a.test", "null", '["x"', "[1]"]
)
def test_what_is_no_origin_is_refused(value):
    with pytest.raises(ConfigurationError):
        loaded(cors_origins=value)


def test_documentation_and_https_follow_the_environment_unless_set():
    assert [HttpSettings().docs_for(environment) for environment in Environment] == [True, True, False]
    assert [HttpSettings().hsts_for(environment) for environment in Environment] == [0, 0, 31_536_000]
    assert HttpSettings(docs_enabled=True).docs_for(Environment.PRODUCTION)
    assert HttpSettings(hsts_seconds=0).hsts_for(Environment.PRODUCTION) == 0


def test_proxies_are_addresses_or_networks():
    assert [str(network) for network in loaded(trusted_proxies="10.0.0.0/8, 127.0.0.1").trusted_proxies] == [
        "10.0.0.0/8",
        "127.0.0.1/32",
    ]
    with pytest.raises(ConfigurationError):
        loaded(trusted_proxies="*")


def test_other_values_are_read_and_bounded():
    assert loaded(response_style="envelope", max_body_bytes="10").response_style is ResponseStyle.ENVELOPE
    with pytest.raises(ConfigurationError):
        loaded(max_body_bytes="0")


def test_a_page_has_one_to_a_thousand_items_and_the_usual_one_no_more_than_the_largest():
    settings = loaded(page_size="1000", max_page_size="1000")
    assert (settings.page_size, settings.max_page_size) == (1000, 1000)
    for wrong in ({"page_size": "0"}, {"max_page_size": "0"}, {"max_page_size": "1001"}, {"page_size": "1001"}):
        with pytest.raises(ConfigurationError):
            loaded(**wrong)
    with pytest.raises(ConfigurationError, match="page_size is larger than max_page_size; set both"):
        loaded(max_page_size="49")


def test_without_origins_there_is_no_cors():
    assert cors_middleware(HttpSettings()) is None
