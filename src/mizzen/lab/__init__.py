"""The one-machine engine: pods as network, mount and UTS namespaces, addresses, DNS, service VIPs, supervision."""
