"""Beside every Envoy: its certificate, bootstrap, health, metrics, probes and end. The long-lived process is standard library only."""
