"""Delays are explained by who was late, as the regulation's limits are kept by whoever holds the papers."""

from __future__ import annotations

from sqlalchemy import select

from models import Deadline, Packet
from models.deadline import Ending
from workers.simulation.stage import Stage
from workflow import deadlines

EXPLAINED = 0.9
"""Share of the late steps that are explained."""
REASONS = {
    "collect": "There was no room in the bag.",
    "carry": "The road was closed by snow.",
    "carry_result": "The road was closed by snow.",
    "resolve": "The head was at the district akimat.",
    "sign": "The head was at the district akimat.",
    "hand_over": "The applicant came later.",
}
"""Step → why it was late, as who was late says."""
OTHERWISE = "The answer of the archive came late."


def explain_delays(stage: Stage) -> None:
    """Let who was late since the last time say why, step by step; a few do not."""
    since, stage.explained_until = stage.explained_until, stage.hands.now
    with stage.hands.database.reading() as session:
        rows = session.execute(
            select(Packet.number, Deadline.step, Deadline.office, Deadline.holder_role, Deadline.holder_id)
            .join(Packet, Packet.id == Deadline.packet_id)
            .where(
                Deadline.late_minutes.is_not(None),
                Deadline.reason.is_(None),
                Deadline.ending == Ending.DONE,
                Deadline.closed_at > since,
                Deadline.closed_at <= stage.explained_until,
                Packet.accepted_by.in_(list(stage.hands.by_id)),
            )
            .order_by(Deadline.id)
        ).all()
    for row in rows:
        if stage.chance(EXPLAINED):
            by = stage.hands.by_id.get(row.holder_id or 0) or stage.hands.who(row.holder_role, row.office)
            reason = REASONS.get(row.step, OTHERWISE)
            stage.hands.act(by, deadlines.explain, row.number, reason=reason, step=row.step)
