"""BentoML with its own API machinery, as its documentation teaches it: typed arguments, a typed answer."""

from typing import Annotated

import bentoml
from annotated_types import Ge, Le, MaxLen, MinLen
from bentoml.exceptions import NotFound
from pydantic import BaseModel

from forecasts import Forecaster


class Prediction(BaseModel):
    ticker: str
    date: str
    predicted_price: float
    confidence_lower: float
    confidence_upper: float
    model_version: str


def models(rows):
    return [Prediction(**row) for row in rows]


@bentoml.service(workers=1, metrics={"enabled": False}, logging={"access": {"enabled": False}}, tracing={"sample_rate": 0.0})
class Forecast:
    def __init__(self):
        self.forecaster = Forecaster()

    @bentoml.api(route="/predict")
    async def predict(
        self,
        ticker: Annotated[str, MinLen(1), MaxLen(10)],
        days_ahead: Annotated[int, Ge(1), Le(30)] = 1,
        confidence_interval: Annotated[float, Ge(0.8), Le(0.99)] = 0.95,
    ) -> list[Prediction]:
        answer = self.forecaster.cached(ticker, days_ahead, confidence_interval, models)
        if answer is None:
            raise NotFound(f"Unknown ticker '{ticker}'")
        return answer
