import pytest

from finscribe_assets.evaluation.plain_text import UnreadableValueError
from finscribe_assets.evaluation.times import parse_time


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("14:05", "14:05"),
        ("9:05", "09:05"),
        ("14:05:09", "14:05:09"),
        ("2:05 PM", "14:05"),
        ("12:30 am", "00:30"),
        ("12:30 p.m.", "12:30"),
        ("14h05", "14:05"),
        ("14.05 Uhr", "14:05"),
        ("14時05分", "14:05"),
        ("下午2:05", "14:05"),
        ("١٤:٠٥", "14:05"),
        ("０９：０５", "09:05"),
    ],
)
def test_times_as_tills_print_them(text, time):
    assert parse_time(text) == time


@pytest.mark.parametrize("text", ["25:00", "14:75", "13:05 PM", "12.03.2024", "noon", "", "14:05 in Berlin"])
def test_other_texts_are_no_times(text):
    with pytest.raises(UnreadableValueError):
        parse_time(text)
