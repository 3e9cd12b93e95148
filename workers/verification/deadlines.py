"""Checks on the clocks: every step that has a limit is being timed, once, for who holds the packet."""

from collections.abc import Iterator

from config.services import Route, services
from workers.verification.check import Check

STEPS = {
    "accepted": ("collect", "accept"),
    "collected": ("carry",),
    "in_transit": ("carry",),
    "received": ("register",),
    "registered": ("pass_to_head", "register"),
    "with_head": ("resolve",),
    "with_executor": ("prepare",),
    "for_signature": ("sign",),
    "signed": ("send", "hand_over"),
    "result_collected": ("carry_result",),
    "result_in_transit": ("carry_result",),
    "ready": ("hand_over",),
}
"""State → the step that is timed: the first that the route has."""

TOGETHER = {"prepare": "examine", "send": "complete", "hand_over": "take_over"}
"""Steps that are timed together with the one before them."""


def _timed() -> Iterator[tuple[str, str, str, int, int, str]]:
    """Yield (service, channel, state, lies elsewhere, was sent back, step) of everything that has a limit."""
    for service in services():
        for channel, route in service.routes.items():
            found = [(state, 0, 0, codes) for state, codes in STEPS.items()]
            found += [("received", 1, 0, ("collect",)), ("with_executor", 0, 1, ("complete", "prepare"))]
            for state, away, again, codes in found:
                step = next((code for code in codes if route.step(code)), None)
                if step is not None and _is_limited(route, step):
                    yield service.code, channel, state, away, again, step


def _is_limited(route: Route, code: str) -> bool:
    steps = [route.step(code), route.step(TOGETHER.get(code, code))]
    return any(step is not None and step.limit is not None for step in steps)


TIMED = "timed (service, channel, state, away, again, step) AS (VALUES {})".format(
    ", ".join(
        f"('{service}', '{channel}', '{state}', {away}, {again}, '{step}')"
        for service, channel, state, away, again, step in _timed()
    )
)
"""What the regulation limits; the steps of results that nobody fetched are not limited."""

CHECKS = (
    Check(
        "one_clock_runs",
        "A packet in a step that has a limit has exactly one open clock, that of the step; any other has none.",
        """
        SELECT p.number AS subject, p.state || ', step ' || COALESCE(t.step, 'none') || ', open clocks: '
            || COALESCE(d.times, 0) || ' ' || COALESCE(d.step, '') AS detail
        FROM packets p
        LEFT JOIN timed t ON t.service = p.service AND t.channel = p.channel AND t.state = p.state
            AND t.away = CASE WHEN p.state = 'received' AND p.holder_office <> p.department THEN 1 ELSE 0 END
            AND t.again = CASE WHEN p.state = 'with_executor' AND p.round > 1 THEN 1 ELSE 0 END
            AND NOT (COALESCE(p.remark, '') = 'unclaimed'
                AND p.state IN ('signed', 'result_collected', 'result_in_transit'))
        LEFT JOIN (SELECT packet_id, COUNT(*) AS times, MIN(step) AS step
            FROM deadlines WHERE closed_at IS NULL GROUP BY packet_id) d ON d.packet_id = p.id
        WHERE COALESCE(d.times, 0) <> CASE WHEN t.step IS NULL THEN 0 ELSE 1 END
            OR COALESCE(d.step, '') <> COALESCE(t.step, '')
        """,
        (TIMED,),
    ),
    Check(
        "clock_has_its_holder",
        "An open clock runs for who holds the packet.",
        """
        SELECT p.number AS subject, d.step || ' runs for ' || d.office || ' ' || d.holder_role AS detail
        FROM deadlines d JOIN packets p ON p.id = d.packet_id
        WHERE d.closed_at IS NULL AND (d.office <> COALESCE(p.holder_office, '')
            OR d.holder_role <> COALESCE(p.holder_role, '')
            OR COALESCE(d.holder_id, 0) <> COALESCE(p.holder_id, 0))
        """,
    ),
    Check(
        "clock_opened_by_an_event",
        "A clock begins with an event of its packet, or after it.",
        """
        SELECT p.number AS subject, d.step || ', event ' || d.seq AS detail
        FROM deadlines d JOIN packets p ON p.id = d.packet_id
        LEFT JOIN events e ON e.packet_id = d.packet_id AND e.seq = d.seq
        WHERE e.seq IS NULL OR d.opened_at < e.at
        """,
    ),
    Check(
        "clock_measured_right",
        "A closed clock is late exactly when it was closed after its due time, and nobody is told of it any more.",
        """
        SELECT p.number AS subject, d.step || ', late ' || COALESCE(d.late_minutes, 0) AS detail
        FROM deadlines d JOIN packets p ON p.id = d.packet_id
        WHERE d.closed_at IS NOT NULL AND (d.closed_at < d.opened_at OR d.ending IS NULL OR d.next_at IS NOT NULL
            OR (d.closed_at > d.due_at) <> (d.late_minutes IS NOT NULL))
            OR d.closed_at IS NULL AND (d.late_minutes IS NOT NULL OR d.ending IS NOT NULL)
        """,
    ),
    Check(
        "clocks_never_overlap",
        "Of the clocks of a packet that were not taken back, none begins before the one before it has ended.",
        """
        SELECT p.number AS subject, later.step || ' began before ' || d.step || ' ended' AS detail
        FROM deadlines d JOIN deadlines later ON later.packet_id = d.packet_id AND later.id > d.id
        JOIN packets p ON p.id = d.packet_id
        WHERE d.ending IN ('done', 'left') AND later.ending IN ('done', 'left') AND later.opened_at < d.closed_at
            -- Papers that never left: the clock before runs on, and the one of the way that they did not go has ended.
            AND NOT (later.ending = 'left' AND EXISTS (SELECT 1 FROM events e WHERE e.packet_id = d.packet_id
                AND e.move = 'never_sent' AND e.seq > later.seq AND e.at <= d.closed_at))
        """,
    ),
)
