"""helloworld, tcp-echo and fortio; what the image map names; what the manifests name."""

import importlib.util
import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml

from mizzen.samples import fortio, helloworld, tcp_echo
from mizzen.samples.fetch import fetch
from mizzen.samples.images import IMAGES
from mizzen.samples.web import Request, Response

SOURCE = Path(__file__).parents[3] / "src"
MANIFESTS = SOURCE / "mizzen" / "samples" / "manifests"


def test_helloworld_says_version_and_instance(serving, monkeypatch):
    monkeypatch.setenv("SERVICE_VERSION", "v2")
    monkeypatch.setenv("HOSTNAME", "helloworld-v2-abc")
    body = fetch(f"{serving(helloworld.handle)}/hello", timeout=5).body
    assert body == b"Hello version: v2, instance: helloworld-v2-abc\n"


def test_tcp_echo_prefixes_each_line():
    here, there = socket.socketpair()
    thread = threading.Thread(target=tcp_echo.echo, args=(there, b"hello"))
    thread.start()
    with here:
        here.sendall(b"world\nagain\nno end")
        here.shutdown(socket.SHUT_WR)
        assert b"".join(iter(lambda: here.recv(1024), b"")) == b"hello world\nhello again\n"
    thread.join(5)


def test_fortio_load_counts_statuses_and_keeps_connections(serving, capsys):
    calls: list[Request] = []

    def half(request: Request) -> Response:
        calls.append(request)
        return Response(503 if len(calls) % 2 else 200)

    fortio.main(["load", "-c", "2", "-qps", "0", "-n", "20", "-loglevel", "Warning", "-H", "x-a: 1", serving(half)])
    text = capsys.readouterr().out
    assert "Sockets used: 2" in text
    assert "Code 200 : 10 (50.0 %)" in text
    assert "Code 503 : 10 (50.0 %)" in text
    assert "All done 20 calls" in text
    assert calls[0].headers.get("x-a") == "1"


def test_fortio_load_counts_no_answer_as_minus_1(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    file = tmp_path / "out.json"
    fortio.main(["load", "-c", "1", "-qps", "0", "-n", "3", "-json", str(file), f"127.0.0.1:{port}/"])
    assert "Code  -1 : 3" in capsys.readouterr().out
    assert json.loads(file.read_text())["RetCodes"] == {"-1": 3}


def test_fortio_load_keeps_its_rate(serving):
    plan, _ = fortio.plan_of(["-c", "4", "-qps", "100", "-t", "300ms", serving(lambda _: Response())])
    result = fortio.load(plan)
    assert result.codes == {200: 30}
    assert result.seconds >= 0.28


@pytest.mark.parametrize("arguments", [["load"], ["load", "-c", "x", "http://a"], ["load", "-grpc", "a"], ["grpcping"]])
def test_fortio_says_what_it_does_not_know(arguments):
    with pytest.raises(SystemExit, match="fortio"):
        fortio.main(arguments)


def test_fortio_server_shapes_its_answers(serving):
    url = serving(fortio.handle)
    assert fetch(f"{url}/?status=418&size=5", timeout=5).status == 418
    assert fetch(f"{url}/echo?size=5", timeout=5).body == b"xxxxx"
    assert fetch(f"{url}/echo?delay=soon", timeout=5).status == 400


@pytest.mark.parametrize("name", sorted(IMAGES))
def test_every_image_names_a_program_that_is_there(name):
    flag, module, *_ = IMAGES[name].command
    assert flag == "-m"
    assert importlib.util.find_spec(module) is not None


def test_the_programs_import_nothing_heavy():
    code = (
        "import sys\n"
        "from mizzen.samples import productpage, reviews, ratings, details, helloworld, tcp_echo\n"
        "print(sorted({'asyncio','ssl','email','http.server','http.client','logging'} & set(sys.modules)),"
        " sorted(m for m in sys.modules if m.startswith('mizzen.') and not m.startswith('mizzen.samples')))"
    )
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(SOURCE)}, capture_output=True, text=True)
    assert done.stdout.strip() == "[] []", done.stderr


@pytest.mark.parametrize("path", sorted(MANIFESTS.glob("*.yaml")), ids=lambda path: path.name)
def test_manifests_are_whole(path):
    documents = list(yaml.safe_load_all(path.read_text()))
    accounts = {d["metadata"]["name"] for d in documents if d["kind"] == "ServiceAccount"}
    for document in documents:
        assert document["metadata"]["name"]
        if document["kind"] == "Deployment":
            pod = document["spec"]["template"]["spec"]
            assert pod["serviceAccountName"] in accounts
            assert all(container["image"] in IMAGES for container in pod["containers"])
