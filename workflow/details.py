"""What the paper of a result needs besides the decision: the fields of each kind of result, checked when drafted."""

from collections.abc import Mapping

from config.errors import BadInputError
from config.language import Text
from config.services import service
from models.packet import Outcome

FIELD_LENGTH = 300

FIELDS: dict[str, tuple[str, ...]] = {
    "notice": ("assignment",),
    "referral": ("employer", "measure", "term"),
    "certificate": ("quarter", "year", "members"),
}
"""Kind of result → fields of its form (service 4, annex 2; service 6, annex 3; the notice's text is free)."""

REQUIRED = frozenset({"employer", "measure", "quarter", "year"})
"""Without these the paper would say nothing; the others may stay empty and be written by hand."""

NAMES = {
    "assignment": Text("text of the assignment"),
    "employer": Text("employer"),
    "measure": Text("kind of employment measure"),
    "term": Text("term of the referral"),
    "quarter": Text("quarter"),
    "year": Text("year"),
    "members": Text("members of the family, one in a line"),
}
"""How people call the fields."""

MEMBERS = 5
"""Most family members that the certificate has lines for (service 6, annex 3)."""


class DetailsError(BadInputError):
    """A field of the result is missing, unknown or too long."""

    code = "details"


def checked_details(code: str, outcome: Outcome, details: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of a result as the packet keeps them; a refusal has none. Raises DetailsError."""
    if outcome is Outcome.REFUSED:
        return {}
    fields = FIELDS[service(code).result]
    unknown = sorted(set(details) - set(fields))
    if unknown:
        raise DetailsError(
            Text("This result has no field “{unknown}”. Its fields: {fields}."),
            unknown=", ".join(unknown),
            fields=", ".join(fields),
        )
    kept = {name: details[name].strip() for name in fields if details.get(name, "").strip()}
    for name in fields:
        if name in REQUIRED and name not in kept:
            raise DetailsError(Text("Fill in the field “{field}”."), field=NAMES[name])
        if len(kept.get(name, "")) > FIELD_LENGTH:
            raise DetailsError(
                Text("The field “{field}” is longer than {most} characters."), field=NAMES[name], most=300
            )
    if len(kept.get("members", "").splitlines()) > MEMBERS:
        raise DetailsError(Text("The certificate has lines for {most} members of the family."), most=MEMBERS)
    return kept
