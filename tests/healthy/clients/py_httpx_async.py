import asyncio
import sys

import httpx


async def fetch(client):
    for _ in range(3):
        try:
            await client.get(sys.argv[1])
            return
        except httpx.TransportError:
            continue


async def main():
    loop = asyncio.get_running_loop()
    async with httpx.AsyncClient(limits=httpx.Limits(keepalive_expiry=None)) as client:
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            for _ in range(3):
                await asyncio.gather(*(fetch(client) for _ in range(int(line))))
            print("done", flush=True)


asyncio.run(main())
