"""The whole way of one packet."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

HISTORY = ("events", "scans")

POSTGRESQL_TRIGGERS = (
    """
    CREATE FUNCTION history_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME; END $$
    """,
    *(
        f"CREATE TRIGGER {table}_stay BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION history_stays()"
        for table in HISTORY
    ),
    """
    CREATE FUNCTION sealed_list_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (SELECT state FROM manifests WHERE id = NEW.manifest_id) != 'open' THEN
            RAISE EXCEPTION 'manifest % is sealed: its list never changes', NEW.manifest_id;
        END IF;
        RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER manifest_lines_sealed BEFORE INSERT ON manifest_lines "
    "FOR EACH ROW WHEN (NEW.state = 'listed') EXECUTE FUNCTION sealed_list_stays()",
)

SQLITE_TRIGGERS = (
    *(
        f"CREATE TRIGGER {table}_stay_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed or deleted'); END"
        for table in HISTORY
        for verb in ("UPDATE", "DELETE")
    ),
    "CREATE TRIGGER manifest_lines_sealed BEFORE INSERT ON manifest_lines "
    "WHEN NEW.state = 'listed' AND (SELECT state FROM manifests WHERE id = NEW.manifest_id) != 'open' "
    "BEGIN SELECT RAISE(ABORT, 'the manifest is sealed: its list never changes'); END",
)


def upgrade() -> None:
    """Make the tables, and the triggers that keep history and sealed lists as they are."""
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    now = sa.text("clock_timestamp()" if on_postgresql else "(strftime('%Y-%m-%d %H:%M:%f000', 'now'))")
    op.create_table(
        "dead_letters",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("queue", sa.String(length=60), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False, comment="bytes"),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the body, hex"),
        sa.Column("received_at", MOMENT, server_default=now, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
    )
    op.create_table(
        "messages",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False, comment="what happened, in the past tense"),
        sa.Column(
            "queue", sa.String(length=60), nullable=False, comment="queue of the office that must know"
        ),
        sa.Column(
            "subject", sa.String(length=40), nullable=False, comment="number of the packet or manifest"
        ),
        sa.Column(
            "cause",
            sa.String(length=80),
            nullable=False,
            comment="the move that made it; part of its uniqueness",
        ),
        sa.Column("body", sa.JSON(), nullable=False, comment="CloudEvents 1.0 attributes and data"),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "published",
                "done",
                "dead",
                "discarded",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "attempts", sa.Integer(), nullable=False, comment="handlings begun; counted before the effect"
        ),
        sa.Column("publications", sa.Integer(), nullable=False, comment="times given to the broker"),
        sa.Column(
            "created_at", MOMENT, server_default=now, nullable=False, comment="by the database's clock"
        ),
        sa.Column(
            "due_at",
            MOMENT,
            server_default=now,
            nullable=False,
            comment="not before; while published, when the lease runs out",
        ),
        sa.Column(
            "lease_until", MOMENT, nullable=True, comment="while published: until when the broker has it"
        ),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True, comment="who replayed or discarded it, and why"),
        sa.CheckConstraint(
            "(state = 'done') = (done_at IS NOT NULL)", name=op.f("ck_messages_done_at_a_time")
        ),
        sa.CheckConstraint(
            "(state = 'published') = (lease_until IS NOT NULL)", name=op.f("ck_messages_published_by_lease")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("cause", "type", "queue", name=op.f("uq_messages_cause_type_queue")),
    )
    op.create_index(
        "ix_messages_dead",
        "messages",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state = 'dead'"),
        sqlite_where=sa.text("state = 'dead'"),
    )
    op.create_index(
        "ix_messages_unfinished",
        "messages",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('pending', 'published')"),
        sqlite_where=sa.text("state IN ('pending', 'published')"),
    )

    op.create_table(
        "offices",
        sa.Column(
            "code", sa.String(length=4), nullable=False, comment="four digits, first part of packet numbers"
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "centre",
                "department",
                "akimat",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("district", sa.String(length=40), nullable=False, comment="code of the district or city"),
        sa.Column(
            "name_kk", sa.String(length=300), nullable=False, comment="name as the regulation prints it"
        ),
        sa.Column("name_ru", sa.String(length=300), nullable=False, comment="name in Russian"),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_offices")),
    )
    op.create_index(
        "uq_offices_one_per_district",
        "offices",
        ["kind", "district"],
        unique=True,
        postgresql_where=sa.text("kind != 'akimat'"),
        sqlite_where=sa.text("kind != 'akimat'"),
    )

    op.create_table(
        "runs",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("centre", sa.String(length=4), nullable=False),
        sa.Column("departs_at", MOMENT, nullable=False, comment="planned departure"),
        sa.ForeignKeyConstraint(["centre"], ["offices.code"], name=op.f("fk_runs_centre_offices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sa.UniqueConstraint("centre", "departs_at", name=op.f("uq_runs_centre_departs_at")),
    )
    op.create_table(
        "serials",
        sa.Column("office", sa.String(length=4), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False, comment="full year, time of Almaty"),
        sa.Column("kind", sa.String(length=12), nullable=False, comment="packet, manifest or register"),
        sa.Column("last", sa.Integer(), nullable=False, comment="last serial given out"),
        sa.CheckConstraint("last BETWEEN 0 AND 999999", name=op.f("ck_serials_six_digits")),
        sa.ForeignKeyConstraint(["office"], ["offices.code"], name=op.f("fk_serials_office_offices")),
        sa.PrimaryKeyConstraint("office", "year", "kind", name=op.f("pk_serials")),
    )
    op.create_table(
        "staff",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False, comment="name at sign-in, lower case"),
        sa.Column("name", sa.String(length=200), nullable=False, comment="name as printed on receipts"),
        sa.Column("office", sa.String(length=4), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False, comment="words of Role"),
        sa.Column(
            "email", sa.String(length=254), nullable=True, comment="where notices go, besides the pages"
        ),
        sa.Column("language", sa.String(length=2), nullable=False, comment="kk, ru or en"),
        sa.Column(
            "password_hash", sa.String(length=200), nullable=True, comment="argon2; empty means no sign-in"
        ),
        sa.Column("active", sa.Boolean(), nullable=False, comment="false: may no longer sign in"),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["office"], ["offices.code"], name=op.f("fk_staff_office_offices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("login", name=op.f("uq_staff_login")),
    )
    op.create_index(op.f("ix_staff_office"), "staff", ["office"], unique=False)

    op.create_table(
        "manifests",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column(
            "number", sa.String(length=16), nullable=False, comment="16 digits, ISO/IEC 7064 MOD 97-10"
        ),
        sa.Column("run_id", BIG_ID, nullable=False),
        sa.Column(
            "leg",
            sa.Enum("out", "back", name="leg", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("origin", sa.String(length=4), nullable=False),
        sa.Column("destination", sa.String(length=4), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "sealed",
                "in_transit",
                "receiving",
                "closed",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("seal_number", sa.String(length=40), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", BIG_ID, nullable=False),
        sa.Column("sealed_at", MOMENT, nullable=True),
        sa.Column("sealed_by", BIG_ID, nullable=True),
        sa.Column("departed_at", MOMENT, nullable=True),
        sa.Column("courier_id", BIG_ID, nullable=True),
        sa.Column("opened_at", MOMENT, nullable=True, comment="first scan at the destination"),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("closed_by", BIG_ID, nullable=True),
        sa.CheckConstraint(
            "(state = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_manifests_closing_is_kept")
        ),
        sa.CheckConstraint(
            "(state IN ('open', 'sealed')) = (departed_at IS NULL)",
            name=op.f("ck_manifests_departure_is_kept"),
        ),
        sa.CheckConstraint(
            "state = 'open' OR seal_number IS NOT NULL", name=op.f("ck_manifests_sealed_with_a_number")
        ),
        sa.CheckConstraint("origin != destination", name=op.f("ck_manifests_goes_somewhere")),
        sa.ForeignKeyConstraint(["closed_by"], ["staff.id"], name=op.f("fk_manifests_closed_by_staff")),
        sa.ForeignKeyConstraint(["courier_id"], ["staff.id"], name=op.f("fk_manifests_courier_id_staff")),
        sa.ForeignKeyConstraint(["created_by"], ["staff.id"], name=op.f("fk_manifests_created_by_staff")),
        sa.ForeignKeyConstraint(
            ["destination"], ["offices.code"], name=op.f("fk_manifests_destination_offices")
        ),
        sa.ForeignKeyConstraint(["origin"], ["offices.code"], name=op.f("fk_manifests_origin_offices")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_manifests_run_id_runs")),
        sa.ForeignKeyConstraint(["sealed_by"], ["staff.id"], name=op.f("fk_manifests_sealed_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manifests")),
        sa.UniqueConstraint("number", name=op.f("uq_manifests_number")),
        sa.UniqueConstraint(
            "run_id", "leg", "origin", "destination", name=op.f("uq_manifests_run_id_leg_origin_destination")
        ),
    )
    op.create_index("ix_manifests_destination_state", "manifests", ["destination", "state"], unique=False)
    op.create_index("ix_manifests_origin_state", "manifests", ["origin", "state"], unique=False)
    op.create_index(
        "uq_manifests_one_open",
        "manifests",
        ["origin", "destination", "leg"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
        sqlite_where=sa.text("state = 'open'"),
    )

    op.create_table(
        "notices",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("message_id", BIG_ID, nullable=False),
        sa.Column("office", sa.String(length=4), nullable=False),
        sa.Column("staff_id", BIG_ID, nullable=True, comment="who is told by name, besides the counter"),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column(
            "subject", sa.String(length=40), nullable=False, comment="number of the packet or manifest"
        ),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", MOMENT, server_default=now, nullable=False),
        sa.Column("read_at", MOMENT, nullable=True),
        sa.Column("read_by", BIG_ID, nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_notices_message_id_messages")),
        sa.ForeignKeyConstraint(["office"], ["offices.code"], name=op.f("fk_notices_office_offices")),
        sa.ForeignKeyConstraint(["read_by"], ["staff.id"], name=op.f("fk_notices_read_by_staff")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_notices_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("message_id", "office", name=op.f("uq_notices_message_id_office")),
    )
    op.create_index(
        "ix_notices_unread",
        "notices",
        ["office", "id"],
        unique=False,
        postgresql_where=sa.text("read_at IS NULL"),
        sqlite_where=sa.text("read_at IS NULL"),
    )

    op.create_table(
        "scans",
        sa.Column("id", sa.String(length=64), nullable=False, comment="made by the client"),
        sa.Column("raw", sa.String(length=200), nullable=False, comment="what arrived, before any repair"),
        sa.Column(
            "digest",
            sa.String(length=16),
            nullable=False,
            comment="of the text as it came, to tell a repeat from another scan under the same id",
        ),
        sa.Column(
            "code", sa.String(length=16), nullable=True, comment="canonical digits, where it is one of ours"
        ),
        sa.Column(
            "station",
            sa.Enum(
                "collect",
                "depart",
                "receive",
                "register",
                "pass",
                "result",
                "hand_over",
                "look_up",
                name="station",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("staff_id", BIG_ID, nullable=False),
        sa.Column("office", sa.String(length=4), nullable=False),
        sa.Column(
            "device", sa.String(length=100), nullable=False, comment="scanner, camera, keyboard, handheld …"
        ),
        sa.Column("scanned_at", MOMENT, nullable=False, comment="the client's time of the scan"),
        sa.Column("received_at", MOMENT, nullable=False, comment="our time of arrival"),
        sa.Column(
            "verdict",
            sa.Enum(
                "taken",
                "already",
                "unexpected",
                "elsewhere",
                "wrong_state",
                "closed",
                "unknown",
                "bad_check",
                "not_allowed",
                "command",
                name="verdict",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "answer", sa.JSON(), nullable=False, comment="message id, facts and what the client may show"
        ),
        sa.ForeignKeyConstraint(["office"], ["offices.code"], name=op.f("fk_scans_office_offices")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_scans_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scans")),
    )
    op.create_index(op.f("ix_scans_code"), "scans", ["code"], unique=False)
    op.create_index("ix_scans_office_received_at", "scans", ["office", "received_at"], unique=False)

    op.create_table(
        "sign_ins",
        sa.Column("key_hash", sa.String(length=64), nullable=False, comment="SHA-256 of the cookie, hex"),
        sa.Column("staff_id", BIG_ID, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False, comment="last request"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_sign_ins_staff_id_staff")),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_sign_ins")),
    )
    op.create_index(op.f("ix_sign_ins_staff_id"), "sign_ins", ["staff_id"], unique=False)

    op.create_table(
        "tokens",
        sa.Column("key_hash", sa.String(length=64), nullable=False, comment="SHA-256 of the token, hex"),
        sa.Column("staff_id", BIG_ID, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_tokens_staff_id_staff")),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_tokens")),
    )
    op.create_index(op.f("ix_tokens_staff_id"), "tokens", ["staff_id"], unique=False)

    op.create_table(
        "packets",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column(
            "number", sa.String(length=14), nullable=False, comment="14 digits, ISO/IEC 7064 MOD 97-10"
        ),
        sa.Column(
            "request_id",
            sa.String(length=64),
            nullable=True,
            comment="made by the client, so that the same request accepts once",
        ),
        sa.Column("service", sa.String(length=40), nullable=False, comment="code of the service"),
        sa.Column(
            "channel",
            sa.Enum(
                "centre",
                "department",
                "akimat",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("origin", sa.String(length=4), nullable=False, comment="office that accepted it"),
        sa.Column("department", sa.String(length=4), nullable=False, comment="office that decides"),
        sa.Column(
            "state",
            sa.Enum(
                "accepted",
                "collected",
                "in_transit",
                "received",
                "registered",
                "with_head",
                "with_executor",
                "for_signature",
                "signed",
                "result_collected",
                "result_in_transit",
                "ready",
                "missing",
                "handed_over",
                "withdrawn",
                "lost",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("state_since", MOMENT, nullable=False),
        sa.Column("moved_by", BIG_ID, nullable=False, comment="who made the last move"),
        sa.Column("holder_office", sa.String(length=4), nullable=True),
        sa.Column(
            "holder_role",
            sa.Enum(
                "inspector",
                "accumulator",
                "courier",
                "registrar",
                "head",
                "executor",
                "clerk",
                "akim",
                "operator",
                "administrator",
                name="holder_role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("holder_id", BIG_ID, nullable=True, comment="the person, where one is known by name"),
        sa.Column("version", sa.Integer(), nullable=False, comment="sequence number of the last event"),
        sa.Column("manifest_id", BIG_ID, nullable=True, comment="the manifest it is live on"),
        sa.Column(
            "register_number",
            sa.String(length=40),
            nullable=True,
            comment="number in the department's register",
        ),
        sa.Column("executor_id", BIG_ID, nullable=True, comment="named by the head"),
        sa.Column(
            "outcome",
            sa.Enum(
                "assigned", "refused", name="outcome", native_enum=False, create_constraint=True, length=32
            ),
            nullable=True,
        ),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it was refused, as the notice states it"),
        sa.Column("round", sa.Integer(), nullable=False, comment="1, and 1 more for each sending back"),
        sa.Column(
            "remark", sa.Text(), nullable=True, comment="what was wrong with it when it was taken over"
        ),
        sa.Column("accepted_at", MOMENT, nullable=False),
        sa.Column("accepted_by", BIG_ID, nullable=False, comment="who is told of the result"),
        sa.Column(
            "status_code",
            sa.String(length=32),
            nullable=False,
            comment="unguessable, on the receipt, for the applicant's own look-up",
        ),
        sa.Column("applicant_name", sa.String(length=200), nullable=False),
        sa.Column("applicant_iin", sa.String(length=12), nullable=True),
        sa.Column("applicant_phone", sa.String(length=40), nullable=True),
        sa.Column(
            "residence",
            sa.String(length=300),
            nullable=False,
            comment="place of residence as the applicant said it",
        ),
        sa.Column(
            "residence_akimat",
            sa.String(length=4),
            nullable=True,
            comment="rural district of the residence, where there is one",
        ),
        sa.Column("enclosures", sa.JSON(), nullable=False, comment="list of {name, count}"),
        sa.CheckConstraint(
            "(state IN ('handed_over', 'lost', 'withdrawn')) = (holder_role IS NULL)",
            name=op.f("ck_packets_one_holder"),
        ),
        sa.CheckConstraint(
            "manifest_id IS NOT NULL OR state NOT IN ('collected', 'result_collected', 'result_in_transit')",
            name=op.f("ck_packets_on_the_way_by_manifest"),
        ),
        sa.CheckConstraint(
            "manifest_id IS NULL OR state IN ('collected', 'in_transit', 'result_collected', 'result_in_transit')",
            name=op.f("ck_packets_manifest_only_on_the_way"),
        ),
        sa.CheckConstraint(
            "outcome IS NULL OR outcome != 'refused' OR reason IS NOT NULL",
            name=op.f("ck_packets_refusal_states_the_reason"),
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_packets_has_an_event")),
        sa.ForeignKeyConstraint(["accepted_by"], ["staff.id"], name=op.f("fk_packets_accepted_by_staff")),
        sa.ForeignKeyConstraint(["department"], ["offices.code"], name=op.f("fk_packets_department_offices")),
        sa.ForeignKeyConstraint(["executor_id"], ["staff.id"], name=op.f("fk_packets_executor_id_staff")),
        sa.ForeignKeyConstraint(["holder_id"], ["staff.id"], name=op.f("fk_packets_holder_id_staff")),
        sa.ForeignKeyConstraint(
            ["holder_office"], ["offices.code"], name=op.f("fk_packets_holder_office_offices")
        ),
        sa.ForeignKeyConstraint(
            ["manifest_id"], ["manifests.id"], name=op.f("fk_packets_manifest_id_manifests")
        ),
        sa.ForeignKeyConstraint(["moved_by"], ["staff.id"], name=op.f("fk_packets_moved_by_staff")),
        sa.ForeignKeyConstraint(["origin"], ["offices.code"], name=op.f("fk_packets_origin_offices")),
        sa.ForeignKeyConstraint(
            ["residence_akimat"], ["offices.code"], name=op.f("fk_packets_residence_akimat_offices")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_packets")),
        sa.UniqueConstraint("number", name=op.f("uq_packets_number")),
        sa.UniqueConstraint("request_id", name=op.f("uq_packets_request_id")),
        sa.UniqueConstraint("status_code", name=op.f("uq_packets_status_code")),
    )
    op.create_index(op.f("ix_packets_applicant_iin"), "packets", ["applicant_iin"], unique=False)
    op.create_index("ix_packets_holder", "packets", ["holder_office", "state"], unique=False)
    op.create_index(op.f("ix_packets_manifest_id"), "packets", ["manifest_id"], unique=False)

    op.create_table(
        "discrepancies",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "missing",
                "unexpected",
                "damaged",
                "refused",
                "misrouted",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("packet_id", BIG_ID, nullable=False),
        sa.Column("manifest_id", BIG_ID, nullable=True),
        sa.Column("office", sa.String(length=4), nullable=False, comment="office that found it"),
        sa.Column("sender", sa.String(length=4), nullable=False, comment="office that sent the papers"),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("opened_by", BIG_ID, nullable=False),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.Column("settled_by", BIG_ID, nullable=True),
        sa.Column(
            "settlement", sa.String(length=32), nullable=True, comment="found, lost, never_sent, noted …"
        ),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (settlement IS NULL)", name=op.f("ck_discrepancies_settled_with_a_word")
        ),
        sa.ForeignKeyConstraint(
            ["manifest_id"], ["manifests.id"], name=op.f("fk_discrepancies_manifest_id_manifests")
        ),
        sa.ForeignKeyConstraint(["office"], ["offices.code"], name=op.f("fk_discrepancies_office_offices")),
        sa.ForeignKeyConstraint(["opened_by"], ["staff.id"], name=op.f("fk_discrepancies_opened_by_staff")),
        sa.ForeignKeyConstraint(
            ["packet_id"], ["packets.id"], name=op.f("fk_discrepancies_packet_id_packets")
        ),
        sa.ForeignKeyConstraint(["sender"], ["offices.code"], name=op.f("fk_discrepancies_sender_offices")),
        sa.ForeignKeyConstraint(["settled_by"], ["staff.id"], name=op.f("fk_discrepancies_settled_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discrepancies")),
    )
    op.create_index(op.f("ix_discrepancies_manifest_id"), "discrepancies", ["manifest_id"], unique=False)
    op.create_index(
        "uq_discrepancies_one_open",
        "discrepancies",
        ["packet_id", "kind"],
        unique=True,
        postgresql_where=sa.text("settled_at IS NULL AND kind IN ('missing', 'refused')"),
        sqlite_where=sa.text("settled_at IS NULL AND kind IN ('missing', 'refused')"),
    )

    op.create_table(
        "events",
        sa.Column("packet_id", BIG_ID, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False, comment="1, 2, 3 … without a gap"),
        sa.Column("previous", sa.Integer(), nullable=True, comment="seq - 1; empty in the first event"),
        sa.Column("at", MOMENT, nullable=False, comment="when it happened"),
        sa.Column("recorded_at", MOMENT, nullable=False, comment="when the system learned of it"),
        sa.Column("move", sa.String(length=32), nullable=False, comment="word of workflow.moves.Move"),
        sa.Column(
            "from_state",
            sa.Enum(
                "accepted",
                "collected",
                "in_transit",
                "received",
                "registered",
                "with_head",
                "with_executor",
                "for_signature",
                "signed",
                "result_collected",
                "result_in_transit",
                "ready",
                "missing",
                "handed_over",
                "withdrawn",
                "lost",
                name="from_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "to_state",
            sa.Enum(
                "accepted",
                "collected",
                "in_transit",
                "received",
                "registered",
                "with_head",
                "with_executor",
                "for_signature",
                "signed",
                "result_collected",
                "result_in_transit",
                "ready",
                "missing",
                "handed_over",
                "withdrawn",
                "lost",
                name="to_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("staff_id", BIG_ID, nullable=False),
        sa.Column("office", sa.String(length=4), nullable=False, comment="office of who did it"),
        sa.Column("holder_office", sa.String(length=4), nullable=True, comment="holder after the move"),
        sa.Column(
            "holder_role",
            sa.Enum(
                "inspector",
                "accumulator",
                "courier",
                "registrar",
                "head",
                "executor",
                "clerk",
                "akim",
                "operator",
                "administrator",
                name="holder_role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("holder_id", BIG_ID, nullable=True),
        sa.Column("manifest_id", BIG_ID, nullable=True, comment="where one is involved"),
        sa.Column(
            "scan_id", sa.String(length=64), nullable=True, comment="the scan that caused it, where one did"
        ),
        sa.Column(
            "data",
            sa.JSON(),
            nullable=False,
            comment="what else belongs to the move: reason, register number …",
        ),
        sa.CheckConstraint(
            "(seq = 1 AND previous IS NULL) OR (seq > 1 AND previous = seq - 1)",
            name=op.f("ck_events_contiguous"),
        ),
        sa.CheckConstraint("(seq = 1) = (from_state IS NULL)", name=op.f("ck_events_first_from_nothing")),
        sa.ForeignKeyConstraint(
            ["manifest_id"], ["manifests.id"], name=op.f("fk_events_manifest_id_manifests")
        ),
        sa.ForeignKeyConstraint(["office"], ["offices.code"], name=op.f("fk_events_office_offices")),
        sa.ForeignKeyConstraint(
            ["packet_id", "previous"], ["events.packet_id", "events.seq"], name="fk_events_previous"
        ),
        sa.ForeignKeyConstraint(["packet_id"], ["packets.id"], name=op.f("fk_events_packet_id_packets")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_events_staff_id_staff")),
        sa.PrimaryKeyConstraint("packet_id", "seq", name=op.f("pk_events")),
    )
    op.create_table(
        "manifest_lines",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("manifest_id", BIG_ID, nullable=False),
        sa.Column("packet_id", BIG_ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, comment="line number on paper, from 1"),
        sa.Column(
            "state",
            sa.Enum(
                "listed",
                "received",
                "damaged",
                "refused",
                "missing",
                "elsewhere",
                "taken_out",
                "unexpected",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "live", sa.Boolean(), nullable=False, comment="true while the packet travels by this manifest"
        ),
        sa.Column(
            "reason", sa.Text(), nullable=True, comment="why it is missing, damaged, refused or taken out"
        ),
        sa.Column("settled_at", MOMENT, nullable=True, comment="when it left the state listed"),
        sa.Column("settled_by", BIG_ID, nullable=True),
        sa.CheckConstraint("NOT live OR state = 'listed'", name=op.f("ck_manifest_lines_live_until_settled")),
        sa.ForeignKeyConstraint(
            ["manifest_id"], ["manifests.id"], name=op.f("fk_manifest_lines_manifest_id_manifests")
        ),
        sa.ForeignKeyConstraint(
            ["packet_id"], ["packets.id"], name=op.f("fk_manifest_lines_packet_id_packets")
        ),
        sa.ForeignKeyConstraint(
            ["settled_by"], ["staff.id"], name=op.f("fk_manifest_lines_settled_by_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manifest_lines")),
        sa.UniqueConstraint("manifest_id", "packet_id", name=op.f("uq_manifest_lines_manifest_id_packet_id")),
    )
    op.create_index("ix_manifest_lines_packet_id", "manifest_lines", ["packet_id"], unique=False)
    op.create_index(
        "uq_manifest_lines_one_live",
        "manifest_lines",
        ["packet_id"],
        unique=True,
        postgresql_where=sa.text("live"),
        sqlite_where=sa.text("live"),
    )
    for statement in POSTGRESQL_TRIGGERS if on_postgresql else SQLITE_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    """Refuse: history is never thrown away."""
    raise NotImplementedError("There is no way back before the first step: restore a backup instead.")
