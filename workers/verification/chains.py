"""Checks on packets and their events: one holder, an unbroken chain, and a packet that agrees with its last event."""

from workers.verification.check import Check
from workers.verification.truth import HOLDERS, LEGAL

CHECKS = (
    Check(
        "chain_begins_with_acceptance",
        "Every packet has a first event, its acceptance, which agrees with it.",
        """
        SELECT p.number AS subject, COALESCE('first event ' || e.move || ' at ' || e.office, 'no event') AS detail
        FROM packets p LEFT JOIN events e ON e.packet_id = p.id AND e.seq = 1
        WHERE p.archived_at IS NULL AND (e.move IS NULL OR e.move <> 'accept' OR e.office <> p.origin
            OR e.staff_id <> p.accepted_by OR e.at <> p.accepted_at)
        """,
    ),
    Check(
        "chain_unbroken",
        "Every event but the first follows the one before it, from the state in which that one ended.",
        """
        SELECT p.number AS subject,
            'event ' || e.seq || ' from ' || COALESCE(e.from_state, '-') || ', before it '
            || COALESCE(b.to_state, 'nothing') AS detail
        FROM events e JOIN packets p ON p.id = e.packet_id
        LEFT JOIN events b ON b.packet_id = e.packet_id AND b.seq = e.seq - 1
        WHERE e.seq <> 1 AND (b.seq IS NULL OR e.from_state IS NULL OR e.from_state <> b.to_state)
            OR e.seq = 1 AND e.from_state IS NOT NULL OR e.seq < 1
        """,
    ),
    Check(
        "steps_legal",
        "Every event is a step that the life of a packet knows.",
        """
        SELECT p.number AS subject,
            'event ' || e.seq || ': ' || e.move || ' from ' || COALESCE(e.from_state, '-') || ' to ' || e.to_state
            AS detail
        FROM events e JOIN packets p ON p.id = e.packet_id
        WHERE NOT EXISTS (SELECT 1 FROM legal l WHERE l.move = e.move
            AND l.from_state = COALESCE(e.from_state, '') AND l.to_state = e.to_state)
        """,
        (LEGAL,),
    ),
    Check(
        "times_in_order",
        "A packet's events never go back in time, and none happened after it was recorded.",
        """
        SELECT p.number AS subject, 'event ' || e.seq AS detail
        FROM events e JOIN packets p ON p.id = e.packet_id
        LEFT JOIN events b ON b.packet_id = e.packet_id AND b.seq = e.seq - 1
        WHERE e.at > e.recorded_at OR e.at < b.at OR e.recorded_at < b.recorded_at
        """,
    ),
    Check(
        "packet_agrees_with_last_event",
        "State, holder, version and times of a packet are those of its last event.",
        """
        SELECT p.number AS subject,
            p.state || ', version ' || p.version || '; last event ' || e.seq || ' to ' || e.to_state AS detail
        FROM packets p
        JOIN (SELECT packet_id, MAX(seq) AS seq FROM events GROUP BY packet_id) l ON l.packet_id = p.id
        JOIN events e ON e.packet_id = l.packet_id AND e.seq = l.seq
        WHERE p.state <> e.to_state OR p.version <> e.seq OR p.state_since <> e.at OR p.moved_by <> e.staff_id
            OR COALESCE(p.holder_office, '') <> COALESCE(e.holder_office, '')
            OR COALESCE(p.holder_role, '') <> COALESCE(e.holder_role, '')
            OR COALESCE(p.holder_id, 0) <> COALESCE(e.holder_id, 0)
            OR COALESCE(p.manifest_id, 0) <> CASE
                WHEN e.to_state IN ('collected', 'in_transit', 'result_collected', 'result_in_transit')
                    AND e.move <> 'refuse' THEN COALESCE(e.manifest_id, 0) ELSE 0 END
        """,
    ),
    Check(
        "one_holder",
        "Every packet has one holder, whose role fits its state; those whose way is complete have none.",
        """
        SELECT p.number AS subject,
            'event ' || e.seq || ': ' || e.to_state || ' held by ' || COALESCE(e.holder_role, 'nobody') AS detail
        FROM events e JOIN packets p ON p.id = e.packet_id
        WHERE CASE WHEN e.to_state IN ('handed_over', 'withdrawn', 'lost')
            THEN e.holder_role IS NOT NULL OR e.holder_office IS NOT NULL OR e.holder_id IS NOT NULL
            ELSE e.holder_office IS NULL OR NOT EXISTS (
                SELECT 1 FROM holders h WHERE h.state = e.to_state AND h.role = e.holder_role) END
        """,
        (HOLDERS,),
    ),
    Check(
        "held_at_the_right_office",
        "The department that decides holds what is being decided, and results wait where the papers were accepted.",
        """
        SELECT number AS subject, state || ' at ' || COALESCE(holder_office, '-') AS detail
        FROM packets
        WHERE state IN ('registered', 'with_head', 'with_executor', 'for_signature', 'signed', 'result_collected')
            AND COALESCE(holder_office, '') <> department
            OR state IN ('accepted', 'ready') AND COALESCE(holder_office, '') <> origin
        """,
    ),
    Check(
        "department_agrees",
        "The department of a packet is the one that acceptance, or the last change of it, named.",
        """
        SELECT p.number AS subject, p.department || ', by its events ' || JSON_TEXT(e.data, 'department') AS detail
        FROM events e JOIN packets p ON p.id = e.packet_id
        WHERE e.move IN ('accept', 'reroute') AND JSON_TEXT(e.data, 'department') <> p.department
            AND NOT EXISTS (SELECT 1 FROM events l WHERE l.packet_id = e.packet_id AND l.seq > e.seq
                AND l.move = 'reroute')
        """,
    ),
    Check(
        "decided_with_an_outcome",
        "What is for signature, signed or given out has an outcome and an executor, a refusal its reason.",
        """
        SELECT number AS subject, state || ' with outcome ' || COALESCE(outcome, '-') AS detail
        FROM packets
        WHERE state IN ('for_signature', 'signed', 'result_collected', 'result_in_transit', 'ready', 'handed_over')
            AND (outcome IS NULL OR executor_id IS NULL)
            OR outcome = 'refused' AND reason IS NULL
            OR outcome IS NOT NULL AND state IN ('accepted', 'collected', 'in_transit', 'received', 'registered',
                'with_head', 'with_executor', 'withdrawn')
        """,
    ),
    Check(
        "rounds_counted",
        "The round of a packet is one more than it was sent back for completion.",
        """
        SELECT p.number AS subject, 'round ' || p.round || ', sent back ' || COALESCE(b.times, 0) AS detail
        FROM packets p LEFT JOIN (
            SELECT packet_id, COUNT(*) AS times FROM events WHERE move = 'send_back' GROUP BY packet_id
        ) b ON b.packet_id = p.id
        WHERE p.round <> 1 + COALESCE(b.times, 0) AND p.archived_at IS NULL
        """,
    ),
    Check(
        "scans_behind_events",
        "An event that a scan caused names a scan that exists, was taken, and was of this packet by this person.",
        """
        SELECT p.number AS subject, 'event ' || e.seq || ' by scan ' || e.scan_id AS detail
        FROM events e JOIN packets p ON p.id = e.packet_id
        LEFT JOIN scans s ON s.id = e.scan_id
        LEFT JOIN manifests m ON m.id = e.manifest_id
        WHERE e.scan_id IS NOT NULL AND (s.id IS NULL OR s.verdict NOT IN ('taken', 'unexpected', 'elsewhere')
            OR s.staff_id <> e.staff_id
            OR s.code <> CASE WHEN e.move = 'depart' THEN m.number ELSE p.number END)
        """,
    ),
    Check(
        "taken_scans_moved_something",
        "A scan that took a packet caused one event; one that was refused caused none.",
        """
        SELECT s.id AS subject, s.station || ' ' || s.verdict || ', ' || COALESCE(e.times, 0) || ' events' AS detail
        FROM scans s LEFT JOIN (
            SELECT scan_id, COUNT(*) AS times FROM events WHERE scan_id IS NOT NULL GROUP BY scan_id
        ) e ON e.scan_id = s.id
        WHERE s.station <> 'look_up' AND LENGTH(s.code) = 14 AND (
            s.verdict IN ('taken', 'unexpected') AND COALESCE(e.times, 0) <> 1
            OR s.verdict NOT IN ('taken', 'unexpected', 'elsewhere') AND e.times IS NOT NULL)
            OR s.station = 'depart' AND LENGTH(s.code) = 16 AND (s.verdict = 'taken') <> (e.times IS NOT NULL)
            -- The events of a bag go with its packets; its scan goes when all of them are archived.
            AND NOT (s.verdict = 'taken' AND EXISTS (SELECT 1 FROM manifests m
                JOIN manifest_lines l ON l.manifest_id = m.id JOIN packets p ON p.id = l.packet_id
                WHERE m.number = s.code AND p.archived_at IS NOT NULL))
        """,
    ),
)
