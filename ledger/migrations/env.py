"""What Alembic runs: on the connection that `ledger.schema` hands over, or on `-x db=PATH` for `alembic revision`."""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import create_engine
from sqlmodel import SQLModel

import ledger.tables  # noqa: F401  registers the tables with SQLModel.metadata


def run(connection: Any) -> None:
    context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True)
    context.run_migrations()


if (handed := context.config.attributes.get("connection")) is not None:
    run(handed)
else:
    with create_engine(f"sqlite:///{context.get_x_argument(as_dictionary=True)['db']}").begin() as opened:
        run(opened)
