"""Modules of WebAssembly plugins: fetched by the agent, kept as files for Envoy (row AG-12)."""
