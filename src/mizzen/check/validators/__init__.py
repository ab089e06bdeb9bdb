"""The rules of each kind, one file per kind."""
