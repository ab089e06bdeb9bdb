"""asyncio without TLS. Import this module before asyncio.

``asyncio`` imports ``ssl`` when it can, which costs 4 MB in every pod. The agent speaks TLS only in short-lived
children and, when an app has an HTTPS probe, in a thread that imports ``ssl`` then.
"""

import sys

if "asyncio" not in sys.modules and "ssl" not in sys.modules:
    sys.modules["ssl"] = None  # type: ignore[assignment]
    try:
        import asyncio  # noqa: F401 - imported for its effect
    finally:
        del sys.modules["ssl"]
