"""SPIFFE identities of workloads (row CA-08)."""

from __future__ import annotations

from msgspec import Struct

from mizzen.errors import ProtocolError


class Identity(Struct, frozen=True, order=True):
    trust_domain: str
    namespace: str
    service_account: str

    @property
    def uri(self) -> str:
        """``spiffe://<trust domain>/ns/<namespace>/sa/<service account>``; ``@`` in the domain becomes ``.``."""
        domain = self.trust_domain.replace("@", ".")
        return f"spiffe://{domain}/ns/{self.namespace}/sa/{self.service_account}"

    @classmethod
    def parse(cls, uri: str) -> Identity:
        """Raises ProtocolError when ``uri`` has another form."""
        parts = uri.split("/")
        if (
            len(parts) != 7
            or parts[0] != "spiffe:"
            or parts[1]
            or parts[3] != "ns"
            or parts[5] != "sa"
            or not all((parts[2], parts[4], parts[6]))
        ):
            raise ProtocolError(f"{uri!r} is not spiffe://<trust domain>/ns/<namespace>/sa/<service account>")
        return cls(parts[2], parts[4], parts[6])

    def __str__(self) -> str:
        return self.uri
