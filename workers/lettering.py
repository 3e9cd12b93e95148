"""The words of a label: from the database where the packet is in it, else from the office code in its number."""

from dataclasses import dataclass

from sqlalchemy import select

from barcodes.numbers import parse
from config.clock import local
from config.errors import ShabarmanError
from config.offices import UnknownOfficeError, district, office
from config.services import service
from models.manifest import Manifest
from models.packet import Packet
from workers.installation import migrated_database


@dataclass(frozen=True, slots=True, kw_only=True)
class Lettering:
    """What stands on a label beside the number."""

    district: str = ""
    service: str = ""
    accepted_on: str = ""


def words_for(number: str) -> Lettering:
    """Return the words for the label of `number`, the canonical number of a packet or a manifest.

    A label can be drawn without a database, and before its packet is known: then it names the district of the
    office in the number, or nothing where no office has that code.
    """
    try:
        with migrated_database() as database, database.reading() as session:
            packet = session.execute(
                select(Packet.department, Packet.service, Packet.accepted_at).where(Packet.number == number)
            ).one_or_none()
            destination = session.scalar(select(Manifest.destination).where(Manifest.number == number))
    except ShabarmanError:
        # No database here, or not yet: the number alone says enough for a label.
        packet, destination = None, None
    if packet is not None:
        known = service(packet.service)
        return Lettering(
            district=_district_of(packet.department),
            service=f"{known.number}. {known.name_kk}",
            accepted_on=f"{local(packet.accepted_at):%d.%m.%Y}",
        )
    return Lettering(district=_district_of(destination or parse(number).office))


def _district_of(code: str) -> str:
    try:
        place = district(office(code).district)
    except UnknownOfficeError:
        return ""
    return f"{place.name_kk}\n{place.name_ru}"
