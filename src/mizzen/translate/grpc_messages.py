"""How many messages a gRPC call had each way, where the stats logger can count them (row ME-04).

Envoy's own gRPC filter keeps both numbers as one text in filter state, and no operator of a format takes it apart. A few
lines of Lua do, once the answer has ended, and leave two numbers in dynamic metadata. A call that is broken off without
trailers is not counted, and the numbers do not grow while a call runs.
"""

from __future__ import annotations

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.config.core.v3 import base_pb2, extension_pb2
from envoy.extensions.common.matching.v3 import extension_matcher_pb2 as matching_pb2
from envoy.extensions.filters.common.matcher.action.v3 import skip_action_pb2
from envoy.extensions.filters.http.lua.v3 import lua_pb2
from envoy.type.matcher.v3 import http_inputs_pb2
from xds.type.matcher.v3 import matcher_pb2

from mizzen.translate import filters as f
from mizzen.translate.messages import any_of

NAME = "mizzen.grpc_messages"
"""Of the filter, and of its metadata."""
REQUESTS, RESPONSES = f"%DYNAMIC_METADATA({NAME}:requests)%", f"%DYNAMIC_METADATA({NAME}:responses)%"

_CODE = f"""
function envoy_on_response(handle)
  handle:trailers()
  local info = handle:streamInfo()
  local counted = info:filterState():get("envoy.filters.http.grpc_stats")
  if counted == nil then return end
  local requests, responses = string.match(tostring(counted), "^(%d+),(%d+)$")
  if requests == nil then return end
  info:dynamicMetadata():set("{NAME}", "requests", tonumber(requests))
  info:dynamicMetadata():set("{NAME}", "responses", tonumber(responses))
end
"""


def http_filter() -> f.HttpFilter:
    """Stands before the gRPC filter, and so sees the end of an answer after it. Other calls than gRPC pass it by."""
    lua = lua_pb2.Lua(default_source_code=base_pb2.DataSource(inline_string=_CODE))
    matcher = matcher_pb2.Matcher()
    rule = matcher.matcher_list.matchers.add()
    asked = rule.predicate.not_matcher.single_predicate
    asked.input.name = "content-type"
    asked.input.typed_config.CopyFrom(any_of(http_inputs_pb2.HttpRequestHeaderMatchInput(header_name="content-type")))
    asked.value_match.prefix = "application/grpc"
    rule.on_match.action.name = "skip"
    rule.on_match.action.typed_config.CopyFrom(any_of(skip_action_pb2.SkipFilter()))
    inner = extension_pb2.TypedExtensionConfig(name="envoy.filters.http.lua", typed_config=any_of(lua))
    return f.http(NAME, matching_pb2.ExtensionWithMatcher(xds_matcher=matcher, extension_config=inner))


def counted() -> accesslog_pb2.AccessLogFilter:
    """Only calls whose messages were counted: a value that is no number is logged as an error."""
    found = accesslog_pb2.AccessLogFilter()
    found.metadata_filter.matcher.filter = NAME
    found.metadata_filter.matcher.path.add(key="requests")
    found.metadata_filter.matcher.value.present_match = True
    found.metadata_filter.match_if_key_not_found.value = False
    return found
