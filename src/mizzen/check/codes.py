"""The codes of findings. IST numbers are Istio's; MZ numbers are ours."""

from __future__ import annotations

UNREADABLE = "MZ0001"
"""A file or document that is no YAML."""
NO_EFFECT = "MZ0002"
"""A kind that is kept and shown but changes nothing in the mesh."""
UNKNOWN_MESH_FIELD = "MZ0003"
"""A mesh config key that nobody reads."""
DUPLICATE = "MZ0004"
"""Two documents for one object."""
ADVICE = "MZ0005"
"""Accepted, but hardly what was meant."""
DEPRECATED = "IST0002"
"""A field of the past."""
INVALID = "IST0106"
"""The object is refused: it does not decode or breaks a rule of its kind."""
