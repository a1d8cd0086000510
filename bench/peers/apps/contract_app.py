"""The service whose contract tickercast answers, with the fields that tickercast adds, as FastAPI and Pydantic would have
them. It forecasts from the table of the other services. Its answers are compared; nothing is measured."""

from datetime import date
from typing import Annotated

from fastapi import FastAPI, HTTPException
from fastapi.responses import Response
from pydantic import BaseModel, Field

from forecasts import Forecaster, compact

Confidence = Annotated[float, Field(ge=0.8, le=0.99)]
Close = Annotated[float, Field(allow_inf_nan=False, gt=0, le=1e15)]


class PredictionRequest(BaseModel):
    ticker: str = Field(min_length=1, max_length=10)
    days_ahead: int = Field(default=1, ge=1, le=30)
    confidence_interval: Confidence = 0.95
    history: Annotated[list[Close], Field(min_length=30, max_length=2000)] | None = None
    as_of: Annotated[date, Field(le=date(9999, 10, 31))] | None = None
    levels: Annotated[list[Confidence], Field(min_length=1, max_length=8)] | None = None


app = FastAPI()
forecaster = Forecaster()


@app.post("/predict")
async def predict(request: PredictionRequest) -> Response:
    rows = forecaster.rows(request.ticker, request.days_ahead, request.confidence_interval)
    if request.history is not None:
        rows = None
    elif rows is None:
        raise HTTPException(status_code=404, detail=f"Unknown ticker '{request.ticker}'")
    elif request.levels is not None or request.as_of is not None:
        rows = None
    return Response(compact(rows), media_type="application/json")  # null: only tickercast knows that


@app.get("/health")
async def health():
    return {"status": "healthy"}
