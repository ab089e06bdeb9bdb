"""httpbin's endpoints."""

import base64
import gzip
import json

import pytest

from mizzen.samples import httpbin
from mizzen.samples.fetch import fetch


@pytest.fixture
def url(serving):
    return serving(httpbin.handle)


def test_headers_and_arguments_are_lists_as_in_go_httpbin(url):
    shown = json.loads(fetch(f"{url}/get?a=1&a=2", [("x-forwarded-client-cert", "By=spiffe://a")], timeout=5).body)
    assert shown["args"] == {"a": ["1", "2"]}
    assert shown["headers"]["X-Forwarded-Client-Cert"] == ["By=spiffe://a"]
    assert shown["method"] == "GET"


def test_flask_style_has_plain_values(url, monkeypatch):
    monkeypatch.setattr(httpbin, "_style", "flask")
    assert json.loads(fetch(f"{url}/headers", [("x-a", "1")], timeout=5).body)["headers"]["X-A"] == "1"


def test_post_shows_json_and_form(url):
    kind = [("content-type", "application/json")]
    assert json.loads(fetch(f"{url}/post", kind, timeout=5, method="POST", body=b'{"a":1}').body)["json"] == {"a": 1}
    kind = [("content-type", "application/x-www-form-urlencoded")]
    shown = json.loads(fetch(f"{url}/anything/x", kind, timeout=5, method="PATCH", body=b"a=1&b=").body)
    assert (shown["form"], shown["method"]) == ({"a": ["1"], "b": [""]}, "PATCH")
    assert fetch(f"{url}/post", timeout=5).status == 405


@pytest.mark.parametrize("code", [200, 204, 301, 418, 503])
def test_status(url, code):
    assert fetch(f"{url}/status/{code}", timeout=5).status == code


@pytest.mark.parametrize(
    "path", ["/status/abc", "/status/99", "/delay/x", "/bytes/-1", "/redirect/0", "/response-headers?a=%0d%0ab"]
)
def test_a_bad_argument_is_a_400(url, path):
    assert fetch(url + path, timeout=5).status == 400


def test_unknown_path_is_a_404(url):
    assert fetch(f"{url}/nothing", timeout=5).status == 404


def test_response_headers_and_redirects(url):
    assert fetch(f"{url}/response-headers?X-Made=1", timeout=5).headers.get("x-made") == "1"
    assert fetch(f"{url}/redirect/2", timeout=5).headers.get("location") == "/redirect/1"
    assert fetch(f"{url}/redirect/1", timeout=5).headers.get("location") == "/get"


def test_basic_auth(url):
    right = base64.b64encode(b"u:p").decode()
    assert fetch(f"{url}/basic-auth/u/p", [("authorization", f"Basic {right}")], timeout=5).status == 200
    refused = fetch(f"{url}/basic-auth/u/q", [("authorization", f"Basic {right}")], timeout=5)
    assert refused.status == 401
    assert "Basic" in refused.headers.get("www-authenticate")
    assert fetch(f"{url}/hidden-basic-auth/u/p", timeout=5).status == 404


def test_bytes_are_reproducible_with_a_seed(url):
    one, two = (fetch(f"{url}/bytes/500?seed=1", timeout=5).body for _ in range(2))
    assert len(one) == 500
    assert one == two


def test_streams_and_compression(url):
    assert len(fetch(f"{url}/stream/3", timeout=5).body.splitlines()) == 3
    assert len(fetch(f"{url}/stream-bytes/20481", timeout=5).body) == 20481
    packed = fetch(f"{url}/gzip", timeout=5)
    assert packed.headers.get("content-encoding") == "gzip"
    assert json.loads(gzip.decompress(packed.body))["gzipped"] is True


def test_conditional_requests(url):
    assert fetch(f"{url}/cache", [("if-none-match", "x")], timeout=5).status == 304
    assert fetch(f"{url}/etag/a", [("if-none-match", '"a"')], timeout=5).status == 304
    assert fetch(f"{url}/etag/a", [("if-match", '"b"')], timeout=5).status == 412
