"""FastAPI with Pydantic, twice: /predict as the documentation teaches it, with a response model; and, with CACHE=bytes,
as an expert would write it, with encoded answers in the cache."""

import datetime
import os
from typing import Annotated, Literal

from fastapi import FastAPI, HTTPException, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from forecasts import Forecaster, compact


class PredictionRequest(BaseModel):
    ticker: str = Field(min_length=1, max_length=10)
    days_ahead: int = Field(default=1, ge=1, le=30)
    confidence_interval: float = Field(default=0.95, ge=0.8, le=0.99)


class HistoryRequest(PredictionRequest):
    as_of: datetime.date | None = None
    history: list[Annotated[float, Field(gt=0, allow_inf_nan=False)]] | None = Field(
        default=None, min_length=30, max_length=2000
    )


class BatchRequest(BaseModel):
    requests: list[PredictionRequest] = Field(max_length=1000)


class Tensor(BaseModel):
    name: Literal["ticker", "days_ahead", "confidence_interval"]
    datatype: str
    shape: list[int] = Field(min_length=1, max_length=2)
    data: list[str | int | float] = Field(min_length=1, max_length=1000)


class InferRequest(BaseModel):
    id: str | None = None
    inputs: list[Tensor] = Field(min_length=1, max_length=3)


class Prediction(BaseModel):
    ticker: str
    date: str
    predicted_price: float
    confidence_lower: float
    confidence_upper: float
    model_version: str


app = FastAPI()
forecaster = Forecaster()


def models(rows):
    return [Prediction(**row) for row in rows]


def unknown(ticker):
    return HTTPException(status_code=404, detail=f"Unknown ticker '{ticker}'")


if os.environ.get("CACHE") == "bytes":

    def encoded(ticker, days, confidence):
        answer = forecaster.cached(ticker, days, confidence, compact)
        if answer is None:
            raise unknown(ticker)
        return answer

    def reply(body):
        return Response(body, media_type="application/json")

    # A history is validated, and answered as if there were none: there is no model here.
    @app.post("/predict")
    async def predict(request: HistoryRequest) -> Response:
        return reply(encoded(request.ticker, request.days_ahead, request.confidence_interval))

    @app.get("/predict/{ticker}")
    async def predict_ticker(
        ticker: str,
        days_ahead: Annotated[int, Query(ge=1, le=30)] = 1,
        confidence_interval: Annotated[float, Query(ge=0.8, le=0.99)] = 0.95,
    ) -> Response:
        return reply(encoded(ticker, days_ahead, confidence_interval))

    @app.post("/predict/batch")
    async def batch(request: BatchRequest) -> Response:
        items = [encoded(r.ticker, r.days_ahead, r.confidence_interval) for r in request.requests]
        return reply(b'{"results":[' + b",".join(b'{"predictions":' + i + b"}" for i in items) + b"]}")

    OUTPUTS = {"date": "BYTES", "predicted_price": "FP64", "confidence_lower": "FP64", "confidence_upper": "FP64"}

    @app.post("/v2/models/tickercast/infer")
    async def infer(request: InferRequest) -> Response:
        given = {t.name: t.data for t in request.inputs}
        tickers = given["ticker"]
        each = lambda name, default: (given.get(name, [default]) * len(tickers))[: len(tickers)]
        days, confidences = each("days_ahead", 1), each("confidence_interval", 0.95)
        rows = [forecaster.rows(t, max(days), c) for t, c in zip(tickers, confidences)]
        outputs = [
            {"name": n, "datatype": t, "shape": [len(tickers), max(days)], "data": [d[n] for r in rows for d in r]}
            for n, t in OUTPUTS.items()
        ]
        return reply(compact({"model_name": "tickercast", "model_version": forecaster.version, "outputs": outputs}))

else:

    @app.post("/predict")
    async def predict(request: PredictionRequest) -> list[Prediction]:
        answer = forecaster.cached(request.ticker, request.days_ahead, request.confidence_interval, models)
        if answer is None:
            raise unknown(request.ticker)
        return answer


@app.get("/health")
async def health():
    return {"status": "healthy"}
