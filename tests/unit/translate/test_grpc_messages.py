"""The filter that takes gRPC's message counts apart."""

import pytest
from envoy.extensions.common.matching.v3 import extension_matcher_pb2 as matching_pb2

from mizzen.translate import grpc_messages


@pytest.mark.row("ME-04")
def test_other_calls_pass_the_filter_by() -> None:
    found = matching_pb2.ExtensionWithMatcher()
    assert grpc_messages.http_filter().typed_config.Unpack(found)
    (rule,) = found.xds_matcher.matcher_list.matchers
    assert rule.predicate.not_matcher.single_predicate.value_match.prefix == "application/grpc"
    assert rule.on_match.action.name == "skip"


@pytest.mark.row("ME-04")
def test_only_numbers_are_counted() -> None:
    condition = grpc_messages.counted().metadata_filter
    assert condition.matcher.filter in grpc_messages.REQUESTS
    assert not condition.match_if_key_not_found.value
