"""Asks for forecasts over HTTP/2 with httpx, from loops that share one client, until its standard
input ends. It prints a line when it has an answer and at the end how many answers it has and the
errors, as JSON. One more loop sends bodies that are too long."""

import asyncio
import collections
import json
import sys

import httpx

url, loops, pause, name = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
answers = 0
errors = collections.Counter()


async def ask(client, body, want):
    global answers
    try:
        r = await client.post(url, content=body, headers={
            "Content-Type": "application/json", "X-Request-Id": name})
        if (r.status_code, r.http_version) == (want, "HTTP/2"):
            answers += 1
        else:
            errors[f"{r.http_version} {r.status_code}"] += 1
    except Exception as e:
        errors[f"{type(e).__name__}: {e}"] += 1


async def loop(client, ended, body, want, pause):
    while not ended.done():
        await ask(client, body, want)
        await asyncio.sleep(pause)


async def main():
    async with httpx.AsyncClient(http2=True, http1=False, verify=False, timeout=60) as client:
        good = b'{"ticker":"AAPL","days_ahead":5}'
        await ask(client, good, 200)
        print("asking", flush=True)
        ended = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
        tasks = [loop(client, ended, good, 200, pause) for _ in range(loops)]
        if loops > 1:
            tasks.append(loop(client, ended, b" " * 100_000, 413, 0.02))
        await asyncio.gather(*tasks)


asyncio.run(main())
print(json.dumps({"answers": answers, "errors": errors}))
