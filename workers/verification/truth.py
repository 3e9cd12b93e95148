"""What should be true, restated from the design: SQL tables of its own, so that a slip in `workflow` is not copied.

Each constant is one common table expression that a check may name. `JSON_TEXT(column, 'a.b')` stands for the text
at a path of a JSON column; both kinds of database have it under different names.
"""

LEGAL = """legal (move, from_state, to_state) AS (VALUES
    ('accept', '', 'accepted'),
    ('withdraw', 'accepted', 'withdrawn'),
    ('collect', 'accepted', 'collected'),
    ('collect', 'received', 'collected'),
    ('collect', 'signed', 'result_collected'),
    ('collect', 'ready', 'result_collected'),
    ('take_out', 'collected', 'accepted'),
    ('take_out', 'collected', 'received'),
    ('take_out', 'result_collected', 'signed'),
    ('take_out', 'result_collected', 'ready'),
    ('depart', 'collected', 'in_transit'),
    ('depart', 'result_collected', 'result_in_transit'),
    ('receive', 'in_transit', 'received'),
    ('receive', 'result_in_transit', 'ready'),
    ('receive', 'result_in_transit', 'signed'),
    ('turn_up', 'accepted', 'received'),
    ('turn_up', 'collected', 'received'),
    ('turn_up', 'in_transit', 'received'),
    ('turn_up', 'received', 'received'),
    ('turn_up', 'signed', 'ready'),
    ('turn_up', 'result_collected', 'ready'),
    ('refuse', 'in_transit', 'in_transit'),
    ('take_back', 'in_transit', 'accepted'),
    ('miss', 'in_transit', 'missing'),
    ('miss', 'result_in_transit', 'missing'),
    ('find', 'missing', 'received'),
    ('find', 'missing', 'ready'),
    ('find', 'missing', 'signed'),
    ('never_sent', 'missing', 'accepted'),
    ('never_sent', 'missing', 'received'),
    ('never_sent', 'missing', 'signed'),
    ('never_sent', 'missing', 'ready'),
    ('lose', 'missing', 'lost'),
    ('reroute', 'received', 'received'),
    ('register', 'received', 'registered'),
    ('pass_on', 'registered', 'with_head'),
    ('pass_on', 'accepted', 'with_head'),
    ('resolve', 'with_head', 'with_executor'),
    ('reassign', 'with_executor', 'with_executor'),
    ('draft', 'with_executor', 'for_signature'),
    ('sign', 'for_signature', 'signed'),
    ('send_back', 'for_signature', 'with_executor'),
    ('hand_over', 'ready', 'handed_over'),
    ('hand_over', 'signed', 'handed_over'),
    ('undo', 'collected', 'accepted'),
    ('undo', 'collected', 'received'),
    ('undo', 'result_collected', 'signed'),
    ('undo', 'result_collected', 'ready'),
    ('undo', 'received', 'in_transit'),
    ('undo', 'ready', 'result_in_transit'),
    ('undo', 'signed', 'result_in_transit'),
    ('undo', 'registered', 'received'),
    ('undo', 'with_head', 'registered'),
    ('undo', 'with_head', 'accepted'),
    ('undo', 'handed_over', 'ready'),
    ('undo', 'handed_over', 'signed')
)"""

HOLDERS = """holders (state, role) AS (VALUES
    ('accepted', 'inspector'),
    ('accepted', 'registrar'),
    ('accepted', 'clerk'),
    ('collected', 'accumulator'),
    ('collected', 'registrar'),
    ('collected', 'clerk'),
    ('in_transit', 'courier'),
    ('received', 'registrar'),
    ('registered', 'registrar'),
    ('with_head', 'head'),
    ('with_head', 'akim'),
    ('with_executor', 'executor'),
    ('for_signature', 'head'),
    ('for_signature', 'akim'),
    ('signed', 'executor'),
    ('result_collected', 'registrar'),
    ('result_collected', 'accumulator'),
    ('result_collected', 'clerk'),
    ('result_in_transit', 'courier'),
    ('ready', 'accumulator'),
    ('ready', 'clerk'),
    ('missing', 'courier')
)"""

TELLS = """tells (move, to_state, type, side) AS (VALUES
    ('accept', 'accepted', 'packet.accepted', 'department'),
    ('withdraw', 'withdrawn', 'packet.withdrawn', 'department'),
    ('reroute', 'received', 'packet.rerouted', 'department'),
    ('reroute', 'received', 'packet.rerouted', 'origin'),
    ('register', 'registered', 'packet.registered', 'origin'),
    ('sign', 'signed', 'packet.decided', 'origin'),
    ('receive', 'ready', 'result.ready', 'origin'),
    ('turn_up', 'ready', 'result.ready', 'origin'),
    ('find', 'ready', 'result.ready', 'origin'),
    ('receive', 'signed', 'result.returned', 'origin'),
    ('find', 'signed', 'result.returned', 'origin'),
    ('lose', 'lost', 'packet.lost', 'department'),
    ('lose', 'lost', 'packet.lost', 'origin'),
    ('hand_over', 'handed_over', 'packet.handed_over', 'department')
)"""
"""Whom a move tells; the office that made the move is told of results only."""

ARCHIVED = "archived (packet_id) AS (SELECT id FROM packets WHERE archived_at IS NOT NULL)"
"""The packets whose history lies in an archive; their row, and their lines in the lists of bags, are still there."""

SETTLES = """settles (move, kind, word) AS (VALUES
    ('find', 'missing', 'found'),
    ('never_sent', 'missing', 'never_sent'),
    ('lose', 'missing', 'lost'),
    ('take_back', 'refused', 'taken_back'),
    ('turn_up', 'refused', 'taken_over')
)"""
"""Which move settles which difference, by which word."""

STEPS = """rerouted (packet_id) AS (SELECT DISTINCT packet_id FROM events WHERE move = 'reroute'),
steps AS (
    SELECT p.id AS packet_id, p.number, p.origin, e.seq, e.move, e.from_state, e.to_state, e.office,
        -- The department as it was then: later the papers may have been sent on to another one.
        CASE WHEN p.id IN (SELECT packet_id FROM rerouted) THEN (
            SELECT JSON_TEXT(d.data, 'department') FROM events d
            WHERE d.packet_id = e.packet_id AND d.seq <= e.seq AND d.move IN ('accept', 'reroute')
            ORDER BY d.seq DESC LIMIT 1
        ) ELSE p.department END AS department,
        JSON_TEXT(e.data, 'reason') AS reason, JSON_TEXT(e.data, 'undone') AS undone, bag.origin AS sender,
        before.move AS move_before, before.holder_office AS holder_before, bag_before.origin AS sender_before
    FROM events e
    JOIN packets p ON p.id = e.packet_id
    LEFT JOIN events before ON before.packet_id = e.packet_id AND before.seq = e.seq - 1
    LEFT JOIN manifests bag ON bag.id = e.manifest_id
    LEFT JOIN manifests bag_before ON bag_before.id = before.manifest_id
    WHERE e.move IN ('accept', 'withdraw', 'reroute', 'register', 'sign', 'receive', 'turn_up', 'find', 'never_sent',
        'lose', 'hand_over', 'undo', 'miss', 'refuse', 'take_back')
)"""
"""The events that may tell somebody something, with what decides whom."""

DIFFERENCES = """differences (packet_id, number, seq, kind, office, sender) AS (
    SELECT packet_id, number, seq, 'missing', office, sender FROM steps WHERE move = 'miss'
    UNION ALL
    SELECT packet_id, number, seq, 'refused', office, sender FROM steps WHERE move = 'refuse'
    UNION ALL
    SELECT packet_id, number, seq, 'damaged', office, sender FROM steps
    WHERE move = 'receive' AND reason IS NOT NULL
    UNION ALL
    SELECT packet_id, number, seq, 'misrouted', office, origin FROM steps
    WHERE move IN ('turn_up', 'find') AND to_state = 'received' AND department <> office
    UNION ALL
    SELECT packet_id, number, seq, 'unexpected', office,
        CASE WHEN from_state = 'in_transit' THEN origin ELSE COALESCE(holder_before, origin) END
    FROM steps WHERE move = 'turn_up' AND NOT (to_state = 'received' AND department <> office)
)"""
"""The differences that the events opened: who found them, and who sent the papers."""
