from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import offices
from config.offices import Office, UnknownDistrictError, UnknownOfficeError
from routing.gazetteer import names_by_key
from routing.residence import AmbiguousPlaceError, PlaceElsewhereError, UnknownPlaceError, find, suggest
from routing.spelling import key

AKIMATS = offices.offices("akimat")
DISTRICTS = offices.districts()

RUSSIAN_KEYS = str.maketrans("әіғқңөұүһӘІҒҚҢӨҰҮҺ", "аигкноуухАИГКНОУУХ")


def districts_of(place: str) -> list[str]:
    return [candidate.district for candidate in find(place).candidates]


@pytest.mark.parametrize(
    ("place", "district"),
    [
        ("Қапал", "aksu"),
        ("капал", "aksu"),
        ("КАПАЛ АУЫЛЫ", "aksu"),
        ("Қапал ауылдық округі", "aksu"),
        ("с. Капал", "aksu"),
        ("село Капал", "aksu"),
        ("Капальский сельский округ", "aksu"),
        ("Капальского с/о", "aksu"),
        ("Жансүгіров кенті", "aksu"),
        ("пос. Жансугуров", "aksu"),
        ("посёлок Жансугурова", "aksu"),
        ("Б.Сырттанов ауылы", "aksu"),
        ("Сырттанов", "aksu"),
        ("ст. Лепсы", None),
        ("Достық", "alakol"),
        ("г. Ушарал", "alakol"),
        ("Үшарал қаласы", "alakol"),
        ("Ұшарал қ.", "alakol"),
        ("Ушарал ауылы", "panfilov"),
        ("Чилик", "enbekshikazakh"),
        ("Шелек", "enbekshikazakh"),
        ("Есік", "enbekshikazakh"),
        ("Иссык", "enbekshikazakh"),
        ("Чунджа", "uygur"),
        ("Джаркент", "panfilov"),
        ("Чунжа", "uygur"),
        ("Шонжы", "uygur"),
        ("Шонжи", "uygur"),
        ("Қызыл-Қайрат", "talgar"),
        ("кызылкайрат", "talgar"),
        ("Кызыл Кайрат", "talgar"),
        ("Өтеген батыр", "ile"),
        ("отеген батыр", "ile"),
        ("Боралдай", "ile"),
        ("Аманбөктер", "sarkan"),
        ("Амабөктер", "sarkan"),
        ("Қаракөз", "aksu"),
        ("Каракөз", "aksu"),
        ("Қазақстан ауылы", "enbekshikazakh"),
        ("Үш коңыр", "karasai"),
        ("Еркін, Талдықорған қаласы", "taldykorgan"),
    ],
)
def test_name_is_found_in_both_spellings(place: str, district: str | None) -> None:
    match = find(place)
    assert match.district == district
    if district is not None:
        assert match.department() == offices.department_of(district)


@pytest.mark.parametrize(
    ("place", "district"),
    [
        ("Ақсу ауданы", "aksu"),
        ("Аксуский район", "aksu"),
        ("Балхаш ауданы", "balkhash"),
        ("Балқаш", "balkhash"),
        ("Карасай ауданы", "karasai"),
        ("Уйғыр ауданы", "uygur"),
        ("Уйгурский р-н", "uygur"),
        ("Сарқант", "sarkan"),
        ("Саркандский район", "sarkan"),
        ("Сарқан қаласы", "sarkan"),
        ("Қапшагай", "kapshagay"),
        ("Капчагай", "kapshagay"),
        ("г.Капшагай", "kapshagay"),
        ("Талдықорған", "taldykorgan"),
        ("талдыкорган қаласы", "taldykorgan"),
        ("Текелі", "tekeli"),
        ("город Текели", "tekeli"),
        ("Талғар", "talgar"),
        ("Жамбылский район", "zhambyl"),
        ("район Талгарский", "talgar"),
    ],
)
def test_district_and_city_are_found_by_their_own_names(place: str, district: str) -> None:
    assert find(place).district == district


@pytest.mark.parametrize(
    ("address", "district"),
    [
        ("Ұйғыр ауданы, Ақсу ауылы", "uygur"),
        ("Ақсу ауданы Ақсу ауылы", "aksu"),
        ("с. Аксу Уйгурского района", "uygur"),
        ("Алматы облысы, Талғар ауданы, Қайнар ауылы, Абай көшесі, 14", "talgar"),
        ("040000, Алматинская область, Райымбекский район, село Кайнар, ул. Абая 5, кв. 2", "raiymbek"),
        ("Алматы облысы Көксу ауданы Балпық би кенті", "koksu"),
        ("Қазақстан Республикасы, Кеген ауылы, Жамбыл көшесі", "raiymbek"),
        ("Ақтүбек ауылы Қабанбай батыр көшесі 9", "alakol"),
        ("с. Кеген ул. Жамбыла 7", "raiymbek"),
        ("Қарасу, Қапал", "aksu"),
    ],
)
def test_address_is_read_by_its_parts(address: str, district: str) -> None:
    assert find(address).district == district


@pytest.mark.parametrize(
    ("place", "districts"),
    [
        ("Ақсу", ["aksu", "uygur"]),
        ("Ақсу ауылы", ["aksu", "uygur"]),
        ("Жамбыл", ["zhambyl", "raiymbek"]),
        ("с. Жамбыл", ["zhambyl", "raiymbek"]),
        ("Ушарал", ["alakol", "panfilov"]),
        ("Қайнар", ["alakol", "raiymbek", "talgar"]),
        ("Алгабас", ["karasai", "koksu", "raiymbek"]),
        ("Алатау", ["karasai", "talgar"]),
        ("Еркін", ["talgar", "taldykorgan"]),
        ("Қаратал", ["eskeldi", "karatal"]),
        ("Ақсу ауданы, Кеген ауылы", ["aksu", "raiymbek"]),
    ],
)
def test_name_in_several_districts_is_asked(place: str, districts: list[str]) -> None:
    match = find(place)
    assert [candidate.district for candidate in match.candidates] == districts
    assert match.district is None
    with pytest.raises(AmbiguousPlaceError, match="Ask the applicant") as asked:
        match.department()
    assert asked.value.facts["districts"] == tuple(districts)
    for district in districts:
        if "ауданы" not in place:
            assert find(place, district=district).department() == offices.department_of(district)


def test_every_name_of_several_districts_is_asked() -> None:
    shared = {
        spelling: names for spelling, names in names_by_key().items() if len({n.district for n in names}) > 1
    }
    assert len(shared) > 40
    for spelling, names in shared.items():
        assert set(districts_of(spelling)) == {name.district for name in names}


def test_akimats_of_a_candidate_are_named() -> None:
    match = find("Актубек")
    assert match.candidates[0].akimats == ("3204", "3205", "3212")


@pytest.mark.parametrize("office", offices.offices(), ids=lambda office: office.code)
def test_code_of_an_office_is_a_place(office: Office) -> None:
    match = find(f" {office.code} ")
    assert match.district == office.district
    assert match.candidates[0].akimats == ((office.code,) if office.kind == "akimat" else ())


def test_unknown_codes_are_refused() -> None:
    with pytest.raises(UnknownOfficeError):
        find("9999")
    with pytest.raises(UnknownDistrictError):
        find("Кеген", district="kegen")


@pytest.mark.parametrize("akimat", AKIMATS, ids=lambda akimat: akimat.code)
def test_every_akimat_is_found_by_its_names(akimat: Office) -> None:
    district = offices.district(akimat.district)
    for name in (
        akimat.name_kk,
        akimat.name_ru,
        *(own for place in akimat.places for own in (place.kk, place.ru)),
    ):
        for written in (name, name.upper(), name.translate(RUSSIAN_KEYS)):
            found = {candidate.district: candidate.akimats for candidate in find(written).candidates}
            assert akimat.code in found[akimat.district]
            whole = find(f"{district.name_kk}, {written}")
            assert whole.district == akimat.district
            assert find(written, district=akimat.district).district == akimat.district


@pytest.mark.parametrize("office", offices.offices(), ids=lambda office: office.code)
def test_address_of_every_office_leads_to_its_district(office: Office) -> None:
    if office.code in {"3203", "3206", "3207", "3208", "3209"}:  # a street without a settlement in the source
        with pytest.raises(UnknownPlaceError):
            find(office.address)
        return
    found = districts_of(office.address)
    assert office.district in found
    assert len(found) == 1 or office.kind == "akimat"


@pytest.mark.parametrize(
    ("typed", "meant"), [("Бакансс", "Бақанас"), ("Кегенн ауылы", None), ("Нарынкл", "Нарынқол")]
)
def test_unknown_name_gives_the_nearest(typed: str, meant: str | None) -> None:
    if meant is None:  # a doubled letter is no other name
        assert find(typed).district == "raiymbek"
        return
    with pytest.raises(UnknownPlaceError, match=meant) as unknown:
        find(typed)
    assert unknown.value.code == "unknown_place"
    suggestions = unknown.value.facts["suggestions"]
    assert isinstance(suggestions, tuple)
    assert suggestions[0].kk == meant
    assert "give the district" in str(unknown.value)


@pytest.mark.parametrize(
    "place", ["", "  ", "Мәскеу", "Алматы", "ауылы", "12", "Абай көшесі, 5", ",;", "x" * 3000]
)
def test_what_is_no_place_is_refused(place: str) -> None:
    with pytest.raises(UnknownPlaceError, match="no known village"):
        find(place)


def test_unregistered_village_in_a_named_district() -> None:
    match = find("Ақсу ауданы, Жоқ ауылы")
    assert (match.district, match.unregistered) == ("aksu", "Жоқ ауылы")
    assert find("Жоқ ауылы", district="aksu").district == "aksu"
    assert find("", district="aksu").district == "aksu"


def test_district_that_contradicts_the_place_is_refused() -> None:
    with pytest.raises(
        PlaceElsewhereError, match="Кеген is not in Ақсу ауданы, but in Райымбек ауданы"
    ) as refused:
        find("Кеген", district="aksu")
    assert refused.value.facts["districts"] == ("raiymbek",)
    assert find("Ақсу ауданы, Кеген", district="aksu").district == "aksu"


@given(akimat=st.sampled_from(AKIMATS), data=st.data())
def test_sloppy_typing_finds_the_same(akimat: Office, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(akimat.places))
    name = data.draw(st.sampled_from([place.kk, place.ru]))
    typed = "".join(
        data.draw(st.sampled_from([letter, letter.upper(), letter.translate(RUSSIAN_KEYS), letter * 2]))
        if letter.isalpha()
        else letter
        for letter in name
    )
    spaces = data.draw(st.sampled_from(["", " ", "\t ", "\u00a0"]))
    words = data.draw(
        st.sampled_from(["{}", "{} ауылы", "{} АУЫЛДЫҚ ОКРУГІ", "{} а/о", "с. {}", "село {}", "{} с.о."])
    )
    typed = spaces + words.format(typed.replace("-", data.draw(st.sampled_from(["-", " ", ""])))) + spaces
    assert districts_of(typed) == districts_of(words.format(name))
    assert akimat.district in districts_of(typed) or "қаласы" in akimat.name_kk or place.kind == "city"


@given(st.text(max_size=60))
def test_any_text_gives_an_answer_or_a_clear_refusal(text: str) -> None:
    try:
        match = find(text)
    except (UnknownPlaceError, UnknownOfficeError) as refused:
        assert str(refused)  # noqa: PT017
    else:
        assert match.candidates


@given(st.text(alphabet="әіғқңөұүһёйыэчщшжабкмнорст -.ьъ", max_size=30))
def test_case_and_alphabet_make_no_difference(text: str) -> None:
    assert key(text) == key(text.upper()) == key(text.translate(RUSSIAN_KEYS))


def test_type_ahead() -> None:
    assert suggest("") == suggest(" -") == ()
    labels = [name.label() for name in suggest("кег")]
    assert labels == ["Кеген, Райымбек ауданы"]
    assert [name.label("ru") for name in suggest("Капал")] == ["Капал, Аксуский район"]
    assert len(suggest("а", limit=7)) == 7
    assert {name.district for name in suggest("аксу", limit=30)} >= {"aksu", "uygur"}
    assert [name.label("ru") for name in suggest("жолбарыс")] == [
        "округ имени Жолбарыс батыра, Каратальский район"
    ]
    assert all(key(name.kk).startswith(key("қай")) for name in suggest("қай", limit=3))


def test_labels_of_districts_stand_alone() -> None:
    for district in DISTRICTS:
        names = [name for name in suggest(district.name_kk, limit=50) if name.kk == district.name_kk]
        assert [(name.label("kk"), name.label("ru")) for name in names] == [
            (district.name_kk, district.name_ru)
        ]


def test_a_doubled_letter_before_another_spelling_does_not_hide_it() -> None:
    assert find("Чунддджа").district == find("Чунджа").district == "uygur"
