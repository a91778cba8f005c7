"""The suite itself: nothing leaves the machine, and no real account can be reached."""

import os
import socket

import pytest
from pytest_socket import SocketConnectBlockedError


def test_no_test_can_reach_the_network() -> None:
    with (
        socket.socket() as outward,
        pytest.warns(UserWarning, match=r"192\.0\.2\.1"),
        pytest.raises(SocketConnectBlockedError),
    ):
        outward.connect(("192.0.2.1", 443))


def test_the_credentials_are_nobodys() -> None:
    assert os.environ["AWS_ACCESS_KEY_ID"] == os.environ["AWS_SECRET_ACCESS_KEY"] == "testing"
    assert "AWS_PROFILE" not in os.environ
    assert os.environ["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
