"""``python -m mizzen.capture``: Istio's ``istio-iptables``."""

import sys

from mizzen.capture.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
