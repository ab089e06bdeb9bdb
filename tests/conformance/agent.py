"""The echo client inside a pod, as the runner talks to it: a line of JSON for each call, one for each answer."""

import json
import os
import threading
from typing import Any

from mizzen.errors import LabError
from mizzen.lab.client import LabClient
from tests.conformance.fixture import Document

PYTHON = "/opt/mizzen/bin/mizzen-python"


class Agent:
    """The echo client inside one pod, ready for calls."""

    def __init__(self, client: LabClient, namespace: str, pod: str) -> None:
        self._lock = threading.Lock()
        self._answers: dict[int, Any] = {}
        self._arrived = threading.Condition()
        self._number = 0
        self.alive = True
        in_read, in_write = os.pipe()
        out_read, out_write = os.pipe()
        self._stdin, self._stdout = os.fdopen(in_write, "w"), os.fdopen(out_read)
        descriptors = (in_read, out_write, 2)

        def run() -> None:
            try:
                command = [PYTHON, "-m", "mizzen.samples.echo.client"]
                client.execute(namespace, pod, "app", command, fds=descriptors)
            except (LabError, OSError):
                pass
            finally:
                os.close(in_read)
                os.close(out_write)

        threading.Thread(target=run, daemon=True).start()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with self._stdout:
            for line in self._stdout:
                answer = json.loads(line)
                with self._arrived:
                    self._answers[answer["id"]] = answer["results"]
                    self._arrived.notify_all()
        with self._arrived:
            self.alive = False
            self._arrived.notify_all()
        self.close()

    def start(self, call: Document, background: bool = False) -> int:
        """Begins a call and gives its number."""
        with self._lock:
            self._number += 1
            self._send({"id": self._number, "call": call, "background": background})
            return self._number

    def stop(self, number: int) -> list[Document]:
        """Ends a background call and gives its results."""
        with self._lock:
            self._send({"id": number, "stop": True})
        return self.result(number, 30)

    def result(self, number: int, seconds: float) -> list[Document]:
        """Raises LabError when the pod went away or took too long."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: number in self._answers or not self.alive, seconds):
                raise LabError(f"the calling pod did not answer within {seconds:g} s")
            if number not in self._answers:
                raise LabError("the calling pod went away")
            return list(self._answers.pop(number))

    def _send(self, job: Document) -> None:
        try:
            self._stdin.write(json.dumps(job) + "\n")
            self._stdin.flush()
        except (OSError, ValueError) as error:  # ValueError: the pipe is closed
            raise LabError(f"the calling pod went away: {error}") from None

    def close(self) -> None:
        """No more calls; the client ends."""
        try:
            self._stdin.close()
        except OSError:
            return

    def join(self) -> None:
        """After :meth:`close`: until the client has ended and its pipes are closed."""
        self._reader.join(10)
