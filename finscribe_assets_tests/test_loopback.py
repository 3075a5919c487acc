"""Only this machine's own names and addresses count as loopback, however a request writes them."""

import pytest

from finscribe_assets.loopback import asks_for_loopback, is_loopback


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.0.1", "::1"])
def test_addresses_of_this_machine(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", [None, "", "fe80::1", "192.168.0.2", "localhost.example.org", "127.0.0.1.nip.io"])
def test_other_hosts(host):
    assert not is_loopback(host)


@pytest.mark.parametrize("header", ["localhost", "localhost:8600", "LOCALHOST:8600", "127.0.0.1:3001", "[::1]:8600"])
def test_headers_that_name_this_machine(header):
    assert asks_for_loopback(header)


@pytest.mark.parametrize("header", ["", ":8600", "[", "[::1", "example.org:8600", "127.0.0.1.example.org", "[::2]:80"])
def test_headers_that_do_not(header):
    assert not asks_for_loopback(header)
