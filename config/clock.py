"""Time: UTC inside, Asia/Almaty for people. Rules take `now` as an argument; only outermost callers ask."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

ALMATY = ZoneInfo("Asia/Almaty")


def utc_now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


def local(moment: datetime) -> datetime:
    """Return an aware `moment` in the time of the offices."""
    return moment.astimezone(ALMATY)
