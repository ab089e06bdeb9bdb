from google.protobuf.json_format import MessageToDict

from mizzen.api.match import StringMatch
from mizzen.translate.http.text import is_presence, string_match


def test_each_way_to_match_a_text() -> None:
    assert MessageToDict(string_match(StringMatch(exact="a"))) == {"exact": "a"}
    assert MessageToDict(string_match(StringMatch(prefix="a"))) == {"prefix": "a"}
    assert MessageToDict(string_match(StringMatch(regex="a+"))) == {"safeRegex": {"regex": "a+"}}


def test_no_condition_or_a_star_is_presence() -> None:
    assert is_presence(StringMatch())
    assert is_presence(StringMatch(regex="*"))
    assert not is_presence(StringMatch(exact=""))
