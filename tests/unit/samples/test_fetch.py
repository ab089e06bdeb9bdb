"""The client of the sample programs."""

import socket
import threading

import pytest

from mizzen.samples.fetch import FetchError, fetch
from mizzen.samples.web import Request, Response


def test_method_headers_query_and_body_arrive(serving):
    seen: list[Request] = []

    def handle(request: Request) -> Response:
        seen.append(request)
        return Response(201, b"made", headers=(("x-a", "1"),))

    answer = fetch(serving(handle) + "/p?q=1", [("x-b", "2")], timeout=5, method="PUT", body=b"hello")
    assert (answer.status, answer.body, answer.headers.get("X-A")) == (201, b"made", "1")
    request = seen[0]
    assert (request.method, request.path, request.query, request.body) == ("PUT", "/p", {"q": ["1"]}, b"hello")
    assert request.headers.get("X-B") == "2"


def test_no_answer_within_the_timeout():
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(FetchError, match="timed out"):
        fetch(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout=0.1)


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"SSH-2.0-nothing\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
    ],
)
def test_a_broken_answer_is_an_error_and_never_half_a_body(reply):
    def answer(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(reply)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, args=(listener,))
        thread.start()
        with pytest.raises(FetchError):
            fetch(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout=5)
        thread.join(5)
