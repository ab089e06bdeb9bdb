"""The place of a name is its number, as gRPC's own library has it."""

import grpc

from mizzen.api.grpc_status import GRPC_STATUSES


def test_names_and_numbers_are_those_of_grpc() -> None:
    assert dict(enumerate(GRPC_STATUSES)) == {code.value[0]: code.name for code in grpc.StatusCode}
