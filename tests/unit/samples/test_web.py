"""The server of the sample programs, over real sockets."""

import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mizzen.samples.fetch import FetchError, fetch
from mizzen.samples.web import Headers, Request, Response, Server, caller

SOURCE = Path(__file__).parents[3] / "src"


def echo(request: Request) -> Response:
    return Response(200, request.body or request.path.encode())


def raw(url: str, data: bytes) -> bytes:
    """Sends bytes and reads until the server closes."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_two_requests_on_one_connection(serving):
    got = raw(serving(echo), b"GET /a HTTP/1.1\r\nhost: x\r\n\r\nGET /b HTTP/1.1\r\nhost: x\r\n\r\n")
    assert got.count(b"HTTP/1.1 200 OK") == 2
    assert b"/a" in got
    assert got.endswith(b"/b")


def test_chunked_request_body(serving):
    got = raw(
        serving(echo), b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
    )
    assert got.endswith(b"\r\n\r\nabcde")


def test_answer_in_chunks_and_whole_for_http_1_0(serving):
    url = serving(lambda _: Response(200, stream=iter([b"one", b"", b"two"])))
    assert fetch(url, timeout=5).body == b"onetwo"
    got = raw(url, b"GET / HTTP/1.0\r\n\r\n")
    assert got.endswith(b"\r\n\r\nonetwo")
    assert b"chunked" not in got


def test_head_has_a_length_and_no_body(serving):
    got = raw(serving(echo), b"HEAD /abc HTTP/1.1\r\n\r\n")
    assert b"content-length: 4" in got
    assert got.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", b"400"),
        (b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n", b"431"),
    ],
)
def test_a_malformed_request_is_refused_and_the_next_connection_served(serving, data, status):
    url = serving(echo)
    assert raw(url, data).startswith(b"HTTP/1.1 " + status)
    assert fetch(f"{url}/ok", timeout=5).body == b"/ok"


def test_an_exception_in_a_handler_is_a_500_and_no_text_of_it_leaks(serving):
    def fail(_: Request) -> Response:
        raise RuntimeError("inner detail")

    answer = fetch(serving(fail), timeout=5)
    assert answer.status == 500
    assert b"inner detail" not in answer.body


def test_draining_serves_on_and_closes_connections():
    server = Server(echo, 0, "127.0.0.1", quiet=0.3)
    server.start()
    url = f"http://127.0.0.1:{server.port}"
    before = raw(url, b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n")
    assert b"connection: close" not in before
    drain = threading.Thread(target=server.drain)
    drain.start()
    until = time.monotonic() + 5
    while not server.draining:
        assert time.monotonic() < until
    during = raw(url, b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n")
    assert b"connection: close" in during
    assert during.endswith(b"/1"), "nothing is answered after the answer that closes"
    drain.join(5)
    assert not drain.is_alive()
    with pytest.raises(FetchError):
        fetch(url, timeout=1)


def test_a_request_in_flight_is_finished_before_the_end():
    started, go_on = threading.Event(), threading.Event()

    def slow(_: Request) -> Response:
        started.set()
        go_on.wait(5)
        return Response(200, b"finished")

    server = Server(slow, 0, "127.0.0.1", quiet=0.0)
    server.start()
    answers = []
    url = f"http://127.0.0.1:{server.port}"
    caller = threading.Thread(target=lambda: answers.append(fetch(url, timeout=5)))
    caller.start()
    assert started.wait(5)
    drain = threading.Thread(target=server.drain)
    drain.start()
    drain.join(0.1)
    assert drain.is_alive(), "it must wait for the request"
    go_on.set()
    caller.join(5)
    drain.join(5)
    assert answers[0].body == b"finished"
    assert not drain.is_alive()


def test_a_program_starts_serves_and_ends_with_0_on_sigterm():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-m", "mizzen.samples.ratings", str(port)],
        env={"PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"ratings listening on port {port}\n"
        assert fetch(f"http://127.0.0.1:{port}/health", timeout=5).status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_port_in_use_is_said_and_ends_with_1():
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "mizzen.samples.helloworld", str(port)],
            env={"PYTHONPATH": str(SOURCE)},
            capture_output=True,
            text=True,
            timeout=10,
        )
    assert done.returncode == 1
    assert f"port {port}: Address already in use" in done.stderr


@pytest.mark.parametrize(
    ("header", "identity"),
    [
        ("", ""),
        ('By=spiffe://a;Hash=1;Subject="";URI=spiffe://td/ns/x/sa/y', "spiffe://td/ns/x/sa/y"),
        ("By=a;URI=spiffe://first,By=b;Hash=2;URI=spiffe://last;DNS=c", "spiffe://last"),
        ("By=a;Hash=1", ""),
    ],
)
def test_the_caller_is_the_last_uri_of_xfcc(header, identity):
    assert caller(Headers([("x-forwarded-client-cert", header)] if header else [])) == identity
