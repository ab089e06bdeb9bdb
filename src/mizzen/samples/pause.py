"""Does nothing until SIGTERM: the program of images that are only a place to run commands in (curl, sleep, pause)."""

from mizzen.samples.web import block_stop_signals, wait_for_stop

if __name__ == "__main__":
    block_stop_signals()
    wait_for_stop()
