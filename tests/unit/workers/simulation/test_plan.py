"""The plan of a simulation: the same seed, the same days; all districts, and everything that can go wrong."""

from collections import Counter

import pytest

from config.offices import centre_of, department_of, districts, offices
from config.services import services
from routing import residence
from workers.simulation.plan import RUNS_A_DAY, Back, NothingToPlayError, Out, plan


def test_the_same_seed_plans_the_same_days_and_another_one_does_not() -> None:
    assert plan(packets=300, days=2, seed=7) == plan(packets=300, days=2, seed=7)
    assert plan(packets=300, days=2, seed=7) != plan(packets=300, days=2, seed=8)


def test_every_centre_has_applicants_and_everything_happens_to_somebody() -> None:
    planned = plan(packets=60, days=1, seed=1)
    at_centres = {applicant.office.district for applicant in planned if applicant.office.kind == "centre"}
    assert at_centres == {district.code for district in districts()}
    assert {applicant.out for applicant in planned} == set(Out)
    assert {applicant.back for applicant in planned} == set(Back) - {Back.UNCLAIMED}
    assert {applicant.run for applicant in planned} == set(range(RUNS_A_DAY))


def test_weeks_reach_every_office_and_every_way_that_the_regulation_has() -> None:
    planned = plan(packets=700, days=28, seed=1, weeks=True)
    assert len(planned) == 700
    assert {applicant.office.code for applicant in planned} == {office.code for office in offices()}
    assert {(applicant.service, applicant.office.kind) for applicant in planned} == {
        (held.code, channel) for held in services() for channel in held.channels
    }
    assert {applicant.back for applicant in planned} == set(Back)


def test_only_what_is_asked_for_is_planned() -> None:
    planned = plan(packets=50, days=1, seed=1, wanted=["aid_certificate"], channels=["akimat", "centre"])
    assert {(applicant.service, applicant.office.kind) for applicant in planned} == {
        ("aid_certificate", "akimat")
    }
    with pytest.raises(NothingToPlayError, match="No office of centre accepts employment"):
        plan(packets=1, days=1, seed=1, wanted=["employment"], channels=["centre"])


def test_only_papers_that_travel_meet_what_happens_on_the_way_and_only_others_are_posted() -> None:
    for applicant in plan(packets=900, days=2, seed=2):
        if applicant.travels:
            assert not applicant.posted
            assert applicant.service == "child_allowance"
        else:
            assert (applicant.out, applicant.back) == (Out.PLAIN, Back.PLAIN)
            assert applicant.service != "employment" or not applicant.posted


def test_few_packets_are_planned_too() -> None:
    (only,) = plan(packets=1, days=1, seed=1)
    assert (only.out, only.back) == (Out.PLAIN, Back.PLAIN)


def test_most_applicants_live_where_the_centre_is_and_some_do_not() -> None:
    planned = plan(packets=2000, days=2, seed=1)
    at_home = Counter(applicant.home == applicant.office.district for applicant in planned)
    assert 0.8 < at_home[True] / len(planned) < 0.95
    assert centre_of(planned[0].home).code != department_of(planned[0].home).code


@pytest.mark.parametrize("seed", range(3))
def test_every_residence_is_found_in_the_district_that_was_meant(seed: int) -> None:
    for applicant in plan(packets=1000, days=1, seed=seed):
        found = residence.find(applicant.residence, district=applicant.asked)
        assert found.department() == department_of(applicant.home), applicant.residence
        if applicant.office.kind != "centre":
            assert applicant.home == applicant.office.district


def test_nobody_has_the_name_of_a_person() -> None:
    assert plan(packets=2, days=1, seed=1)[1].name == "Applicant 000002"
