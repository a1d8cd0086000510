"""Flask with Pydantic for the request; with CACHE=bytes the cache holds encoded answers."""

import os

from flask import Flask, Response, jsonify, request
from pydantic import BaseModel, Field, ValidationError

from forecasts import Forecaster, compact


class PredictionRequest(BaseModel):
    ticker: str = Field(min_length=1, max_length=10)
    days_ahead: int = Field(default=1, ge=1, le=30)
    confidence_interval: float = Field(default=0.95, ge=0.8, le=0.99)


app = Flask(__name__)
app.json.sort_keys = False
app.json.compact = True
forecaster = Forecaster()
as_bytes = os.environ.get("CACHE") == "bytes"


@app.post("/predict")
def predict():
    try:
        req = PredictionRequest.model_validate_json(request.get_data())
    except ValidationError as e:
        return jsonify(detail=[{**d, "loc": ("body", *d["loc"])} for d in e.errors(include_url=False)]), 422
    wrap = compact if as_bytes else list
    answer = forecaster.cached(req.ticker, req.days_ahead, req.confidence_interval, wrap)
    if answer is None:
        return jsonify(detail=f"Unknown ticker '{req.ticker}'"), 404
    if as_bytes:
        return Response(answer, mimetype="application/json")
    return jsonify(answer)


@app.get("/health")
def health():
    return jsonify(status="healthy")
