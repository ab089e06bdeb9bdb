"""Behaviour as data: cases of configuration, calls and expectations, run against a real mesh. See docs/compatibility/conformance.md."""
