"""Configuration as users write it: one frozen type per kind, and the decoder from YAML documents."""
