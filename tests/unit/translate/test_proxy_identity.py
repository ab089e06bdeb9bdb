"""Files that a proxy's metadata names in place of its mesh identity."""

from __future__ import annotations

import pytest

from mizzen.translate.proxy_identity import proxy_identity

FLAGS = {"TLS_CLIENT_CERT_CHAIN": "/c", "TLS_CLIENT_KEY": "/k", "TLS_CLIENT_ROOT_CERT": "/r"}


@pytest.mark.row("DR-52")
def test_all_three_or_none() -> None:
    found = proxy_identity(FLAGS)
    assert found is not None
    assert found.names == ("file-cert:/c~/k", "file-root:/r")
    assert [secret.name for secret in found.secrets] == list(found.names)
    assert all(proxy_identity({key: value for key, value in FLAGS.items() if key != gone}) is None for gone in FLAGS)
