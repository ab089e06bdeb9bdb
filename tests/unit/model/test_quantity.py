import pytest

from mizzen.model.quantity import canonical


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4000m", "4"),
        ("1024Mi", "1Gi"),
        ("100m", "100m"),
        ("0.5", "500m"),
        ("1500Mi", "1500Mi"),
        ("2e3", "2k"),
        ("0", "0"),
    ],
)
def test_canonical(text, expected):
    assert canonical(text) == expected


@pytest.mark.parametrize(
    "text", ["", "lots", "1Q", "m", "1e999999999", "9" * 90 + "m1", "9" * 1_000_000, "9" * 60 + ".5Gi"]
)
def test_no_quantity(text):
    with pytest.raises(ValueError, match="quantity"):
        canonical(text)
