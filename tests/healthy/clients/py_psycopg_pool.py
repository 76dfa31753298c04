import sys

import psycopg
import psycopg_pool

from drive import bursts

pool = psycopg_pool.ConnectionPool(f"host=127.0.0.1 port={sys.argv[1]} user=postgres dbname=postgres", min_size=4,
                                   max_size=10, timeout=20)


def query():
    for _ in range(12):
        try:
            with pool.connection() as connection:
                connection.execute("select 1")
            return
        except psycopg.Error:
            continue


bursts(query)
pool.close()
