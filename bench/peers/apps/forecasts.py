"""The forecaster behind every Python service here: a table of quantiles by ticker, day and confidence, as a nightly job
would write it, and interpolation between its confidences. A dict keeps the answers, keyed on all that they depend on."""

import json
import os
from bisect import bisect_left
from time import monotonic

TTL = 3600.0
CAPACITY = 16_384


class Forecaster:
    def __init__(self, path=None):
        with open(path or os.environ["FORECASTS"]) as f:
            table = json.load(f)
        self.version = table["model_version"]
        self.knots = table["confidences"]
        self.tickers = table["tickers"]  # ticker -> day -> {"date", "price", "lower": by knot, "upper": by knot}
        self._cache = {}

    def rows(self, ticker, days, confidence):
        """The forecast, computed; None for a ticker that is not known."""
        name = ticker if ticker in self.tickers else ticker.upper()
        table = self.tickers.get(name)
        if table is None:
            return None
        i = bisect_left(self.knots, confidence)
        exact = i < len(self.knots) and self.knots[i] == confidence
        if not exact:
            i = min(max(i, 1), len(self.knots) - 1)
            low, high = self.knots[i - 1], self.knots[i]
            w = (confidence - low) / (high - low)
        rows = []
        for day in table[:days]:
            if exact:
                lower, upper = day["lower"][i], day["upper"][i]
            else:
                lower = day["lower"][i - 1] * (1 - w) + day["lower"][i] * w
                upper = day["upper"][i - 1] * (1 - w) + day["upper"][i] * w
            rows.append(
                {
                    "ticker": name,
                    "date": day["date"],
                    "predicted_price": day["price"],
                    "confidence_lower": lower,
                    "confidence_upper": upper,
                    "model_version": self.version,
                }
            )
        return rows

    def cached(self, ticker, days, confidence, wrap):
        """What wrap made of the rows, from the cache if it can be. wrap is fixed for a process."""
        key = (ticker, days, confidence)
        hit = self._cache.get(key)
        if hit is not None and hit[0] > monotonic():
            return hit[1]
        rows = self.rows(ticker, days, confidence)
        if rows is None:
            return None
        value = wrap(rows)
        if len(self._cache) >= CAPACITY:
            self._cache.pop(next(iter(self._cache)))
        self._cache[key] = (monotonic() + TTL, value)
        return value


def compact(rows):
    return json.dumps(rows, separators=(",", ":")).encode()
