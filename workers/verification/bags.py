"""Checks on manifests, their lines and the differences: what left balances with what came, and what did not come."""

from workers.verification.check import Check
from workers.verification.truth import ARCHIVED, DIFFERENCES, SETTLES, STEPS

CHECKS = (
    Check(
        "one_live_manifest",
        "A packet is live on one manifest at most, the one that the packet names.",
        """
        SELECT p.number AS subject, 'on ' || COALESCE(m.number, 'none') || ', live lines '
            || COALESCE(l.times, 0) AS detail
        FROM packets p LEFT JOIN manifests m ON m.id = p.manifest_id
        LEFT JOIN (SELECT packet_id, COUNT(*) AS times, MIN(manifest_id) AS manifest_id
            FROM manifest_lines WHERE live GROUP BY packet_id) l ON l.packet_id = p.id
        WHERE COALESCE(l.times, 0) > 1 OR COALESCE(l.manifest_id, 0) <> COALESCE(p.manifest_id, 0)
        """,
    ),
    Check(
        "lines_settled_with_a_word",
        "A line is listed while its packet travels by the manifest, and settled by somebody at a time afterwards.",
        """
        SELECT m.number AS subject, 'line ' || l.position || ' ' || l.state AS detail
        FROM manifest_lines l JOIN manifests m ON m.id = l.manifest_id
        WHERE (l.state = 'listed') <> (l.live) OR (l.state = 'listed') <> (l.settled_at IS NULL)
            OR (l.settled_at IS NULL) <> (l.settled_by IS NULL)
            OR l.state IN ('damaged', 'refused', 'missing') AND COALESCE(l.reason, '') = ''
        """,
    ),
    Check(
        "closed_when_settled",
        "A closed manifest has no packet that nobody has settled.",
        """
        SELECT m.number AS subject, 'line ' || l.position || ' of a closed manifest is still listed' AS detail
        FROM manifests m JOIN manifest_lines l ON l.manifest_id = m.id
        WHERE m.state = 'closed' AND l.state = 'listed'
        """,
    ),
    Check(
        "lines_numbered",
        "The lines of a manifest are numbered 1, 2, 3 … without a gap or a double.",
        """
        SELECT m.number AS subject,
            COUNT(*) || ' lines, numbers ' || MIN(l.position) || ' to ' || MAX(l.position) AS detail
        FROM manifests m JOIN manifest_lines l ON l.manifest_id = m.id
        GROUP BY m.id, m.number
        HAVING MIN(l.position) <> 1 OR MAX(l.position) <> COUNT(*) OR COUNT(DISTINCT l.position) <> COUNT(*)
        """,
    ),
    Check(
        "manifest_steps_in_order",
        "A manifest is made, sealed with a number, carried, opened and closed in this order, by somebody each time.",
        """
        SELECT number AS subject, state AS detail FROM manifests
        WHERE state <> 'open' AND (seal_number IS NULL OR sealed_at IS NULL OR sealed_by IS NULL)
            OR state = 'open' AND sealed_at IS NOT NULL
            OR (state IN ('in_transit', 'receiving', 'closed')) <> (departed_at IS NOT NULL)
            OR (departed_at IS NULL) <> (courier_id IS NULL)
            OR (state IN ('receiving', 'closed')) <> (opened_at IS NOT NULL)
            OR (state = 'closed') <> (closed_at IS NOT NULL) OR (closed_at IS NULL) <> (closed_by IS NULL)
            OR sealed_at < created_at OR departed_at < sealed_at OR opened_at < departed_at OR closed_at < opened_at
        """,
    ),
    Check(
        "manifest_balances",
        "What a manifest carried is what its courier took, and each line says what the packet's events say.",
        """
        SELECT b.number AS subject, b.detail FROM (
            SELECT m.number, 'event ' || e.seq || ' of packet ' || e.packet_id || ' has no line' AS detail
            FROM events e JOIN manifests m ON m.id = e.manifest_id
            LEFT JOIN manifest_lines l ON l.manifest_id = e.manifest_id AND l.packet_id = e.packet_id
            WHERE e.move = 'depart' AND (l.id IS NULL OR l.state IN ('taken_out', 'unexpected'))
            UNION ALL
            SELECT m.number, 'line ' || l.position || ' never departed' AS detail
            FROM manifest_lines l JOIN manifests m ON m.id = l.manifest_id
            WHERE l.packet_id NOT IN (SELECT packet_id FROM archived)
                AND (l.state IN ('received', 'damaged', 'refused', 'missing')
                    OR l.state = 'listed' AND m.departed_at IS NOT NULL)
                AND NOT EXISTS (SELECT 1 FROM events e WHERE e.packet_id = l.packet_id
                    AND e.manifest_id = l.manifest_id AND e.move = 'depart')
            UNION ALL
            SELECT m.number, 'line ' || l.position || ' is ' || l.state || ', no event says so' AS detail
            FROM manifest_lines l JOIN manifests m ON m.id = l.manifest_id
            WHERE l.packet_id NOT IN (SELECT packet_id FROM archived)
                AND l.state <> 'elsewhere' AND l.state <> 'listed' AND NOT EXISTS (
                SELECT 1 FROM events e WHERE e.packet_id = l.packet_id AND e.manifest_id = l.manifest_id
                    AND CASE l.state WHEN 'received' THEN e.move = 'receive' AND JSON_TEXT(e.data, 'reason') IS NULL
                        WHEN 'damaged' THEN e.move = 'receive' AND JSON_TEXT(e.data, 'reason') IS NOT NULL
                        WHEN 'refused' THEN e.move = 'refuse'
                        WHEN 'missing' THEN e.move = 'miss'
                        WHEN 'unexpected' THEN e.move = 'turn_up'
                        ELSE e.move IN ('take_out', 'undo') END)
            UNION ALL
            SELECT m.number, 'line ' || l.position || ' is elsewhere, its packet never turned up' AS detail
            FROM manifest_lines l JOIN manifests m ON m.id = l.manifest_id
            WHERE l.packet_id NOT IN (SELECT packet_id FROM archived)
                AND l.state = 'elsewhere' AND NOT EXISTS (
                SELECT 1 FROM events e WHERE e.packet_id = l.packet_id AND e.move = 'turn_up')
        ) b
        """,
        (ARCHIVED,),
    ),
    Check(
        "missing_is_looked_for",
        "A packet is missing exactly while a difference says so, and one that was refused at the door likewise.",
        """
        SELECT p.number AS subject, p.state || ', open differences: ' || COALESCE(d.kinds, 'none') AS detail
        FROM packets p LEFT JOIN (
            SELECT packet_id, MIN(kind) AS kinds, SUM(CASE kind WHEN 'missing' THEN 1 ELSE 0 END) AS missing,
                SUM(CASE kind WHEN 'refused' THEN 1 ELSE 0 END) AS refused
            FROM discrepancies WHERE settled_at IS NULL AND kind IN ('missing', 'refused') GROUP BY packet_id
        ) d ON d.packet_id = p.id
        WHERE COALESCE(d.missing, 0) <> CASE WHEN p.state = 'missing' THEN 1 ELSE 0 END
            OR COALESCE(d.refused, 0) <> CASE WHEN p.state = 'in_transit' AND p.manifest_id IS NULL THEN 1 ELSE 0 END
        """,
    ),
    Check(
        "differences_recorded",
        "Every difference that an event found is recorded once, for the right two offices, and no other one is.",
        """
        SELECT p.number AS subject,
            u.kind || ' found at ' || u.office || ', sent by ' || u.sender || ': events ' || SUM(u.meant)
            || ', records ' || SUM(u.kept) AS detail
        FROM (
            SELECT packet_id, kind, office, sender, 1 AS meant, 0 AS kept FROM differences
            UNION ALL
            SELECT packet_id, kind, office, sender, 0, 1 FROM discrepancies
        ) u JOIN packets p ON p.id = u.packet_id
        GROUP BY p.number, u.kind, u.office, u.sender
        HAVING SUM(u.meant) <> SUM(u.kept)
        """,
        (STEPS, DIFFERENCES),
    ),
    Check(
        "differences_settled",
        "A difference is settled after it was opened, by the word of the move that settled it.",
        """
        SELECT p.number AS subject, d.kind || ' settled as ' || COALESCE(d.settlement, '-') AS detail
        FROM discrepancies d JOIN packets p ON p.id = d.packet_id
        WHERE d.settled_at < d.opened_at OR (d.settled_at IS NULL) <> (d.settled_by IS NULL)
            OR d.kind IN ('missing', 'refused') AND d.settled_at IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM settles s JOIN events e ON e.move = s.move
                WHERE s.kind = d.kind AND s.word = d.settlement AND e.packet_id = d.packet_id
                    AND e.recorded_at = d.settled_at)
        """,
        (SETTLES,),
    ),
)
