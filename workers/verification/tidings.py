"""Checks on messages and notices: everybody who must know is told once, and nobody else is."""

from workers.verification.check import Check
from workers.verification.truth import DIFFERENCES, SETTLES, STEPS, TELLS

MEANT = """meant (cause, type, code) AS (
    SELECT s.number || ':' || s.seq, t.type, CASE t.side WHEN 'origin' THEN s.origin ELSE s.department END
    FROM steps s JOIN tells t ON t.move = s.move AND t.to_state = s.to_state
    WHERE t.type = 'result.ready' OR CASE t.side WHEN 'origin' THEN s.origin ELSE s.department END <> s.office
    UNION
    SELECT s.number || ':' || s.seq, 'packet.undone', CASE t.side WHEN 'origin' THEN s.origin ELSE s.department END
    FROM steps s JOIN tells t ON t.move = s.undone AND t.to_state = s.from_state
    WHERE s.move = 'undo'
        AND (t.type = 'result.ready' OR CASE t.side WHEN 'origin' THEN s.origin ELSE s.department END <> s.office)
    UNION
    SELECT number || ':' || seq, 'packet.misrouted', department FROM steps
    WHERE move IN ('turn_up', 'find') AND to_state = 'received' AND department <> office
    UNION
    SELECT number || ':' || seq || ':' || kind, 'discrepancy.opened', sender FROM differences
    UNION
    SELECT s.number || ':' || s.seq || ':' || r.kind, 'discrepancy.settled', o.code
    FROM steps s JOIN settles r ON r.move = s.move
    JOIN offices o ON o.code IN (s.origin, s.department)
        OR r.kind = 'missing' AND o.code = s.sender_before
    WHERE (s.move <> 'turn_up' OR s.move_before = 'refuse') AND o.code <> s.office
    UNION
    SELECT number, 'manifest.departed', destination FROM manifests WHERE departed_at IS NOT NULL
    UNION
    SELECT number, 'manifest.closed', origin FROM manifests WHERE closed_at IS NOT NULL
)"""
"""Every message that should be there, from events and manifests alone."""

TRUTH = (STEPS, DIFFERENCES, TELLS, SETTLES, MEANT)

COMPARED = """
    SELECT cause, type, queue, MAX(meant) AS meant, SUM(kept) AS kept FROM (
        SELECT m.cause, m.type, o.kind || '.' || o.district AS queue, 1 AS meant, 0 AS kept
        FROM meant m JOIN offices o ON o.code = m.code
        UNION ALL
        SELECT cause, type, queue, 0, 1 FROM messages
        WHERE type NOT LIKE 'deadline.%' AND type NOT IN (
            'notice.email', 'message.died', 'result.unclaimed', 'run.late', 'calendar.unconfirmed'
        )
    ) u
    GROUP BY cause, type, queue
    HAVING MAX(meant) <> SUM(kept)
"""
"""(cause, type, queue) of the messages that are not there as often as they should be."""

CHECKS = (
    Check(
        "message_names_its_office",
        "A message lies in the queue of the office that it names.",
        """
        SELECT m.cause AS subject, m.type || ' in ' || m.queue || ' for ' || COALESCE(o.code, 'no office') AS detail
        FROM messages m LEFT JOIN offices o ON o.code = JSON_TEXT(m.body, 'data.to')
        WHERE m.type <> 'notice.email' AND (o.code IS NULL OR o.kind || '.' || o.district <> m.queue)
        """,
    ),
    Check(
        "told_once",
        "A message that is done was told once, to the office it names; one that is not done was not told.",
        """
        SELECT m.cause AS subject,
            m.type || ' in ' || m.queue || ' is ' || m.state || ', told ' || COUNT(n.id) || ' times' AS detail
        FROM messages m LEFT JOIN notices n ON n.message_id = m.id
        LEFT JOIN offices o ON o.code = n.office
        WHERE m.type <> 'notice.email'
        GROUP BY m.id, m.cause, m.type, m.queue, m.state
        HAVING COUNT(n.id) <> CASE m.state WHEN 'done' THEN 1 ELSE 0 END
            OR MAX(CASE WHEN n.type <> m.type OR n.subject <> m.subject OR o.kind || '.' || o.district <> m.queue
                OR n.office <> JSON_TEXT(m.body, 'data.to') THEN 1 ELSE 0 END) = 1
        """,
    ),
    Check(
        "notice_has_its_message",
        "Every notice comes from a message.",
        """
        SELECT n.subject AS subject, n.type || ' for ' || n.office || ', notice ' || n.id AS detail
        FROM notices n LEFT JOIN messages m ON m.id = n.message_id
        WHERE m.id IS NULL OR m.type = 'notice.email'
        """,
    ),
    Check(
        "inspector_is_told",
        "That a result is ready is told to the inspector who accepted the packet.",
        """
        SELECT n.subject AS subject, 'told ' || COALESCE(n.staff_id, 0) || ', accepted by ' || p.accepted_by AS detail
        FROM notices n JOIN packets p ON p.number = n.subject
        WHERE n.type = 'result.ready' AND (COALESCE(n.staff_id, 0) <> p.accepted_by OR n.office <> p.origin)
        """,
    ),
    Check(
        "letters_have_their_notice",
        "A letter goes out for a result that was told, once.",
        """
        SELECT l.subject AS subject, 'letter ' || l.id || ' by ' || l.cause AS detail
        FROM messages l LEFT JOIN messages m ON l.cause = 'notice:' || m.id
        WHERE l.type = 'notice.email' AND (m.id IS NULL OR m.type <> 'result.ready' OR m.state <> 'done'
            OR m.subject <> l.subject OR l.queue <> 'notices')
        """,
    ),
    Check(
        "no_message_past_its_lease",
        "No message is open past its lease for longer than a relay needs to publish it again.",
        """
        SELECT m.cause AS subject, m.type || ' in ' || m.queue || ', lease until ' || m.lease_until AS detail
        FROM messages m WHERE m.state = 'published' AND m.lease_until < :patience_ended
        """,
    ),
)

WARNINGS = (
    Check(
        "message_dead",
        "A message that nobody could handle waits for an operator.",
        """
        SELECT m.cause AS subject, 'message ' || m.id || ', ' || m.type || ' in ' || m.queue AS detail
        FROM messages m WHERE m.state = 'dead'
        """,
    ),
    Check(
        "message_waits",
        "A message is due and no relay takes it.",
        """
        SELECT m.cause AS subject, 'message ' || m.id || ', ' || m.type || ' in ' || m.queue AS detail
        FROM messages m WHERE m.state = 'pending' AND m.due_at < :patience_ended
        """,
    ),
)
"""What waits for a person but breaks no promise: the rows are kept and will be told."""
