import sys

import sqlalchemy

from drive import bursts

engine = sqlalchemy.create_engine(sys.argv[1], pool_size=8, pool_pre_ping=True)


def query():
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("select 1")).fetchall()


bursts(query)
