import sys

import psycopg2
import psycopg2.pool

from drive import bursts

pool = psycopg2.pool.ThreadedConnectionPool(2, 10, host="127.0.0.1", port=sys.argv[1], user="postgres",
                                            dbname="postgres")


def query():
    for _ in range(12):
        connection = pool.getconn()
        try:
            connection.cursor().execute("select 1")
            connection.rollback()
            pool.putconn(connection)
            return
        except psycopg2.Error:
            pool.putconn(connection, close=True)


bursts(query)
