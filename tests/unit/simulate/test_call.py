from mizzen.simulate import Call, Speech, Tls


def test_pseudo_headers_come_from_the_call_and_names_are_lower_case() -> None:
    call = Call(port=80, host="a.test", path="/x", method="PUT", headers={"X-User": "jason"})
    assert call.request == {
        ":authority": "a.test",
        ":method": "PUT",
        ":path": "/x",
        ":scheme": "http",
        "x-forwarded-proto": "http",
        "x-user": "jason",
    }


def test_the_scheme_is_that_of_the_connection() -> None:
    assert Call(port=80).scheme == "http"
    assert Call(port=443, tls=Tls.TLS).scheme == "https"


def test_bytes_are_no_http() -> None:
    assert [speech.is_http for speech in Speech] == [True, True, True, False, False]
