"""A statement can make sure that each of its rows was found, and fail otherwise with nothing written."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the function, where one statement writes everything."""
    if op.get_bind().dialect.name == "postgresql":
        # The state of its own (SQLSTATE) is among those that the standard leaves to applications.
        op.execute(
            "CREATE FUNCTION all_found(touched bigint, wanted bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN "
            "IF touched = wanted THEN RETURN true; END IF; "
            "RAISE EXCEPTION '% of % rows are no longer as they were read', wanted - touched, wanted "
            "USING ERRCODE = 'SHB01'; END $$"
        )


def downgrade() -> None:
    """Refuse: there is no way back."""
    raise NotImplementedError("There is no way back: restore a backup instead.")
