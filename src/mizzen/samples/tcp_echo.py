"""Istio's tcp-echo: answers each line with a prefix and the line. Arguments: ``PORT[,PORT…] PREFIX``."""

import socket
import sys
import threading

from mizzen.samples.web import block_stop_signals, log, wait_for_stop


def echo(connection: socket.socket, prefix: bytes) -> None:
    """Serves one connection until its peer closes."""
    with connection, connection.makefile("rb") as reader:
        try:
            for line in reader:
                if not line.endswith(b"\n"):
                    return  # as in Istio's program, a line without its end is not answered
                connection.sendall(prefix + b" " + line)
        except OSError:
            return


def accept(listener: socket.socket, prefix: bytes) -> None:
    """Serves connections until the listener is closed."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=echo, args=(connection, prefix), daemon=True).start()


def main(arguments: list[str]) -> None:
    """Serves every port until SIGTERM."""
    ports = arguments[0] if arguments else "9000,9001,9002"
    prefix = (arguments[1] if len(arguments) > 1 else "hello").encode()
    block_stop_signals()
    for port in ports.split(","):
        try:
            listener = socket.create_server(("0.0.0.0", int(port)), backlog=256)
        except (OSError, ValueError) as error:
            print(f"tcp-echo: port {port}: {error}", file=sys.stderr)
            raise SystemExit(1) from error
        threading.Thread(target=accept, args=(listener, prefix), daemon=True).start()
        log(f"listening on port {port}, prefix: {prefix.decode()}")
    wait_for_stop()


if __name__ == "__main__":
    main(sys.argv[1:])
