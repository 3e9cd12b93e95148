"""Migrations: they make exactly the tables that the models describe, with their comments."""

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from models import Base
from models.database import Database


def test_models_and_migrations_agree(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_constraints_of_the_models_are_in_the_database(database: Database) -> None:
    seen = inspect(database.engine)
    for table in Base.metadata.sorted_tables:
        here = {found["name"] for found in seen.get_check_constraints(table.name)}
        # A check's name is made from the convention when the table is made.
        meant = {
            f"ck_{table.name}_{str(held.name).removeprefix(f'ck_{table.name}_')}"
            for held in table.constraints
            if type(held).__name__ == "CheckConstraint"
        }
        assert meant <= here, table.name


def test_comments_are_the_same_on_postgresql(database: Database) -> None:
    if database.dialect != "postgresql":
        return  # SQLite keeps no comments.
    seen = inspect(database.engine)
    for table in Base.metadata.sorted_tables:
        here = {column["name"]: column["comment"] for column in seen.get_columns(table.name)}
        assert here == {column.name: column.comment for column in table.columns}, table.name
