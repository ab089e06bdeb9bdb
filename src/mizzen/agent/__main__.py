"""``python -m mizzen.agent VERB``: our ``pilot-agent``."""

import sys

from mizzen.agent.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
