"""Every word of the closed lists of the field can be said."""

import pytest

from config.language import LANGUAGES
from models.discrepancy import DiscrepancyKind
from models.manifest import LineState, ManifestState
from models.packet import Channel, Leg, Outcome
from models.scan import Station, Verdict
from models.staff import Role
from web import words
from web.views.notices import SENTENCES, address, sentence
from workflow.moves import Move
from workflow.telling import MESSAGE_TYPES


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        (Role, words.ROLES),
        (Verdict, words.VERDICTS),
        (Station, words.STATIONS),
        (Station, words.STATION_HINTS),
        (ManifestState, words.MANIFEST_STATES),
        (LineState, words.LINE_STATES),
        (Leg, words.LEGS),
        (Channel, words.CHANNELS),
        (Outcome, words.OUTCOMES),
        (DiscrepancyKind, words.DIFFERENCES),
        (Move, words.MOVES),
    ],
)
def test_each_list_is_said_completely(listed: type, said: dict[str, object]) -> None:
    assert set(said) == set(listed)  # type: ignore[call-overload]


def test_every_message_is_a_sentence_in_every_language() -> None:
    assert set(SENTENCES) | {"notice.email"} == MESSAGE_TYPES
    for language in LANGUAGES:
        for type_ in SENTENCES:
            said = sentence(type_=type_, subject="10012600000159", data={"office": "2001"}, language=language)
            assert "{" not in said
            assert said.endswith((".", "!", ")", "»", "`"))
            assert "1001 26 000001 59" in said


def test_codes_of_the_field_become_words() -> None:
    said = words.spoken({"roles": "courier, head", "office": "2001", "number": "10012600000159"}, "ru")
    assert said["roles"] == "курьер, руководитель уполномоченного органа"
    assert said["office"].startswith("Отдел занятости")
    assert said["number"] == "1001 26 000001 59"
    assert words.spoken({"office": "nowhere", "state": "odd"}, "ru") == {"office": "nowhere", "state": "odd"}
    assert words.office_name("9999", "kk") == "9999"


def test_one_notice_may_stand_for_many_packets() -> None:
    data = {"office": "2001", "count": 30, "numbers": ["10012600000159"]}
    said = sentence(type_="deadline.missed", subject="10012600000159", data=data, language="en")
    assert "30 packets" in said


def test_a_notice_leads_to_what_it_is_about() -> None:
    assert address("10012600000159") == "/packets/10012600000159"
    assert address("8010012600000187") == "/manifests/8010012600000187"
    assert address("1001 24.11.2026 10:00") == address("2027") == "/"
