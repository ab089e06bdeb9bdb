"""HTTP routes of a VirtualService: one file per feature that users know by name."""
