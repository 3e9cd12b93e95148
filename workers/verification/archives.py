"""Checks on archives: what is archived is nowhere else, and its file is sealed."""

# ruff: noqa: S608 - names of our own tables

from workers.verification.check import Check

_OF_PACKET = ("events", "deadlines", "discrepancies", "return_slips", "prints")

CHECKS = (
    Check(
        "archived_is_gone",
        "Of a packet whose history lies in an archive no row of history is in the database.",
        " UNION ALL ".join(
            [
                f"""
        SELECT p.number AS subject, 'rows of {table}: ' || COUNT(*) AS detail
        FROM packets p JOIN {table} h ON h.packet_id = p.id WHERE p.archived_at IS NOT NULL GROUP BY p.number
        """
                for table in _OF_PACKET
            ]
            + [
                """
        SELECT p.number AS subject, 'messages: ' || COUNT(*) AS detail
        FROM packets p JOIN messages m ON m.subject = p.number WHERE p.archived_at IS NOT NULL GROUP BY p.number
        """
            ]
        ),
    ),
    Check(
        "archived_when_over",
        "Only packets whose way is complete are marked for an archive, and archived when its file was sealed.",
        """
        SELECT p.number AS subject, p.state || ', archive ' || p.archive_id AS detail
        FROM packets p LEFT JOIN archives a ON a.id = p.archive_id
        WHERE p.archive_id IS NOT NULL AND (p.state NOT IN ('handed_over', 'withdrawn', 'lost') OR a.id IS NULL
            OR p.archived_at IS NOT NULL AND a.sealed_at IS NULL
            OR p.archived_at IS NULL AND a.finished_at IS NOT NULL)
        """,
    ),
    Check(
        "archive_counts_its_packets",
        "A finished archive has as many packets as its file has lines, without those that stayed.",
        """
        SELECT a.file AS subject, 'lines ' || a.packets || ' and ' || a.scans || ', stayed ' || a.stayed
            || ', packets ' || COUNT(p.id) AS detail
        FROM archives a LEFT JOIN packets p ON p.archive_id = a.id
        WHERE a.finished_at IS NOT NULL
        GROUP BY a.id, a.file, a.packets, a.scans, a.stayed
        HAVING COUNT(p.id) > a.packets OR COUNT(p.id) < a.packets - a.stayed
        """,
    ),
)
