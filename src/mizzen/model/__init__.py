"""The vocabulary in which the core packages meet: Config, Snapshot, ProxyView, ResourceSet, Finding."""
