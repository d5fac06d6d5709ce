"""Addresses in the form they are compared by: of mail (who is this account?) and of the network (who is trying?)."""

from __future__ import annotations

import unicodedata
from ipaddress import IPv6Address, ip_address, ip_network

from tenantry.http import canonical_email

_SUBSCRIBER = 64
"""Bits of an IPv6 address that say whose network it is; one subscriber has all addresses below it."""


def email_key(email: str) -> str:
    r"""Return the one key of an e-mail address, whatever way it is written.

    Beyond the canonical form, case and compatibility characters are folded, so that full-width letters are no second
    account. Nobody's mail can be taken that way, because mail goes to the address that was registered. Sub-addresses
    (``ada+news@``) stay apart: on many servers they are different people. What is no address (typed into a login form)
    is folded too, and finds nobody.

    >>> email_key("ADA@Example.TEST"), email_key("\uff21da@example.test")
    ('ada@example.test', 'ada@example.test')
    """
    try:
        email = canonical_email(email)
    except ValueError:
        email = email.strip().encode(errors="replace").decode()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", email).casefold())


def client_address(host: str | None) -> str | None:
    """Return a network address in its one spelling, an IPv4 address mapped into IPv6 as IPv4; None for what is none.

    >>> client_address("::ffff:192.0.2.1"), client_address("2001:DB8::1"), client_address("testclient")
    ('192.0.2.1', '2001:db8::1', None)
    """
    try:
        address = ip_address((host or "").partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address)


def subscriber(address: str | None) -> str:
    """Return whose address it is, for counting: the address itself, for IPv6 its network.

    >>> subscriber("2001:db8::1:2:3:4"), subscriber("192.0.2.1"), subscriber(None)
    ('2001:db8::/64', '192.0.2.1', 'unknown')
    """
    if address is None:
        return "unknown"
    if ":" in address:
        return str(ip_network(f"{address}/{_SUBSCRIBER}", strict=False))
    return address
