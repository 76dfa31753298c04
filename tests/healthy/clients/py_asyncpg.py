import asyncio
import sys

import asyncpg


async def query(pool):
    async with pool.acquire() as connection:
        await connection.fetch("select 1")


async def main():
    loop = asyncio.get_running_loop()
    async with asyncpg.create_pool(host="127.0.0.1", port=int(sys.argv[1]), user="postgres", database="postgres",
                                   min_size=2, max_size=10, max_inactive_connection_lifetime=0) as pool:
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            for _ in range(3):
                await asyncio.gather(*(query(pool) for _ in range(int(line))))
            print("done", flush=True)


asyncio.run(main())
