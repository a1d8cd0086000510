"""FastAPI with Pydantic, twice: /predict as the documentation teaches it, with a response model; and, with CACHE=bytes,
as an expert would write it, with encoded answers in the cache."""

import os

from fastapi import FastAPI, HTTPException
from fastapi.responses import Response
from pydantic import BaseModel, Field

from forecasts import Forecaster, compact


class PredictionRequest(BaseModel):
    ticker: str = Field(min_length=1, max_length=10)
    days_ahead: int = Field(default=1, ge=1, le=30)
    confidence_interval: float = Field(default=0.95, ge=0.8, le=0.99)


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

    @app.post("/predict")
    async def predict(request: PredictionRequest) -> Response:
        answer = forecaster.cached(request.ticker, request.days_ahead, request.confidence_interval, compact)
        if answer is None:
            raise unknown(request.ticker)
        return Response(answer, media_type="application/json")

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
