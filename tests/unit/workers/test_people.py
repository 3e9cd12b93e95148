from models.staff import Role
from workers.commands.people import RoleName
from workers.people import FIRST_PEOPLE
from workflow.staffing import SHORTEST_PASSWORD, new_password


def test_the_command_line_knows_every_role() -> None:
    assert [role.value for role in RoleName] == [role.value for role in Role]


def test_passwords_are_long_and_all_different() -> None:
    made = {new_password() for _ in range(1000)}
    assert len(made) == 1000
    assert all(len(password) == 19 > SHORTEST_PASSWORD for password in made)


def test_every_role_of_the_centre_route_has_a_first_person() -> None:
    assert {role for role, _, _ in FIRST_PEOPLE} == set(Role) - {Role.CLERK, Role.AKIM}
