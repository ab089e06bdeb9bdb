"""Traffic capture: rules rendered pure from options, applied in the pod's network namespace, and taken away again."""
