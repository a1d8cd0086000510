"""Asks a server by the SDK of KServe: python kserve_sdk.py URL. Anything unexpected raises."""

import asyncio
import sys

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

url = sys.argv[1]


def request(binary, tickers=("AAPL", "MSFT"), **parameters):
    ticker = InferInput("ticker", [len(tickers)], "BYTES")
    ticker.set_data_from_numpy(np.array(tickers, dtype=object), binary_data=binary)
    days = InferInput("days_ahead", [1], "INT64")
    days.set_data_from_numpy(np.array([4], dtype=np.int64), binary_data=binary)
    return InferRequest("tickercast", [ticker, days], request_id="7", parameters=parameters or None)


async def main():
    client = InferenceRESTClient(RESTConfig(protocol="v2", retries=0))
    assert await client.is_server_live(url) and await client.is_server_ready(url)
    assert await client.is_model_ready(url, "prices")
    want = None
    for binary in True, False:
        for parameters in {}, {"binary_data_output": True}:
            answer = await client.infer(url, request(binary, **parameters), model_name="prices")
            assert answer.id == "7" and answer.model_name == "prices", answer
            got = {o.name: o.as_numpy() for o in answer.outputs}
            assert got["predicted_price"].shape == (2, 4), got
            prices = got["predicted_price"].tolist()
            want = want or prices
            assert prices == want, (binary, parameters)
    for call, text in [
        (client.infer(url, request(True), model_name="other"), "unknown model 'other'"),
        (client.infer(url, request(True, ("ZZZZQ",)), model_name="prices"), "unknown ticker 'ZZZZQ'"),
    ]:
        try:
            await call
        except httpx.HTTPStatusError as e:
            assert text in str(e), e
        else:
            raise AssertionError(text)
    await client.close()
    print("ok")


asyncio.run(main())
