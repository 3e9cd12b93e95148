"""The first people of a new house: one person per role, so that somebody can sign in at all."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.offices import centre_of, department_of, district
from models.staff import Role, Staff
from workflow.staffing import Particulars, add_person, new_password

FIRST_DISTRICT = "aksu"
"""The district whose centre and department get the first people; the first of annex 1."""

FIRST_PEOPLE: tuple[tuple[Role, str, str], ...] = (
    (Role.INSPECTOR, "centre", "ХҚКО инспекторы"),
    (Role.ACCUMULATOR, "centre", "жинақтаушы бөлімнің инспекторы"),
    (Role.COURIER, "centre", "іс-қағаздар тасушы"),
    (Role.REGISTRAR, "department", "кеңсе қызметкері"),
    (Role.HEAD, "department", "бөлім басшысы"),
    (Role.EXECUTOR, "department", "жауапты орындаушы"),
    (Role.OPERATOR, "centre", "оператор"),
    (Role.ADMINISTRATOR, "centre", "әкімші"),
)
"""Role, kind of office, and the title that stands for a name: nobody is invented."""

SETUP = "setup"
"""Who entered the first people, as the list of changes says."""


def add_first_people(session: Session, *, now: datetime) -> list[tuple[str, str, str]]:
    """Enter one person per role when there is nobody at all; return their (login, password, name), else nothing."""
    if session.scalar(select(func.count()).select_from(Staff)):
        return []
    offices = {"centre": centre_of(FIRST_DISTRICT), "department": department_of(FIRST_DISTRICT)}
    where = district(FIRST_DISTRICT).name_kk
    made = []
    for role, kind, title in FIRST_PEOPLE:
        everywhere = role in {Role.OPERATOR, Role.ADMINISTRATOR}
        login = role.value if everywhere else f"{role.value}.{FIRST_DISTRICT}"
        name = title.capitalize() if everywhere else f"{title[0].upper()}{title[1:]}, {where}"
        password = new_password()
        add_person(
            session,
            login=login,
            person=Particulars(name=name, office=offices[kind].code, roles=[role]),
            password=password,
            by=SETUP,
            now=now,
        )
        made.append((login, password, name))
    return made
