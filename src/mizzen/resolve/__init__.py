"""From Config to Snapshot (what the mesh is) and from Snapshot to ProxyView (what one proxy may see and serves). Pure."""

from mizzen.resolve.build import build
from mizzen.resolve.extensions import plugins
from mizzen.resolve.stages import stages
from mizzen.resolve.view import view

__all__ = ["build", "plugins", "stages", "view"]
