"""How often somebody failed to sign in, counted for all web processes together."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class SignInTry(Base):
    """One counter: of a login at an address, of an address, or of a login wherever it is tried.

    Neither logins nor addresses are kept, only what tells them apart.
    """

    __tablename__ = "sign_in_tries"

    key_hash: Mapped[str] = mapped_column(
        String(64), primary_key=True, comment="SHA-256 of what is counted, hex"
    )
    failures: Mapped[int] = mapped_column(comment="tries in a row that did not succeed")
    last_at: Mapped[datetime] = mapped_column(index=True, comment="last try; pauses are counted from here")
    known_at: Mapped[datetime | None] = mapped_column(comment="last success of this login at this address")
