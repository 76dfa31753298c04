import asyncio
import sys

import aiohttp


async def fetch(session):
    async with session.get(sys.argv[1]) as response:
        await response.read()


async def main():
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(keepalive_timeout=3600)) as session:
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            for _ in range(3):
                await asyncio.gather(*(fetch(session) for _ in range(int(line))))
            print("done", flush=True)


asyncio.run(main())
