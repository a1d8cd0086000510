"""Forecasts by what people would use instead of tickercast: statsforecast, arch and crepes, on one core.

    python peers.py INPUT > OUTPUT

INPUT is a JSON object: "days", "confidences", which are whole per cent, and "series", each a list of closes. OUTPUT has a
JSON object a line, for each method and series: "method", "series" (its index), "cpu" (seconds of user and system time to
fit and to forecast) and "bounds": for each day ahead the lower bounds, then the upper ones, in the order of the
confidences. They are logs of price over last close. A method that fails on a series writes "error" in place of them.

All methods get the logs of the closes. Methods of returns get 100 times the differences of these, with a mean of zero:
what a year of closes says of the mean is mostly noise. With a fitted one the loss of arch was 1.9 % lower on the embedded
prices and 2.5 % higher on prices of 2014 to 2022.
"""

import json
import sys
import time
import warnings
from statistics import NormalDist

import numpy as np
from arch.univariate import GARCH as GarchVolatility
from arch.univariate import StudentsT, ZeroMean
from crepes import ConformalRegressor
from statsforecast.models import GARCH, AutoARIMA, AutoETS, Naive
from statsforecast.utils import ConformalIntervals

PATHS = 10_000  # simulated for a GARCH with t errors: 0.07 points of standard error at its 0.5 % quantile
WARMUP = 20  # returns from which the first volatility of split conformal prediction is taken


def library(model):
    """A model of statsforecast with its own intervals."""

    def forecast(y, days, confidences):
        levels = [round(100 * c) for c in confidences]
        f = model.forecast(y=y, h=days, level=levels)
        return np.column_stack([f[f"lo-{x}"] for x in levels] + [f[f"hi-{x}"] for x in levels]) - y[-1]

    return forecast


def conformal_library(y, days, confidences):
    """The conformal intervals of statsforecast, with as many windows as there is past for."""
    windows = (len(y) - 1) // days
    return library(Naive(prediction_intervals=ConformalIntervals(h=days, n_windows=windows)))(y, days, confidences)


def garch_normal(y, days, confidences):
    """GARCH(1,1) as statsforecast fits it, and the variance that is then expected, summed over days. Its own forecast is
    one random path, with intervals in units of variance."""
    fitted = GARCH(p=1, q=1).fit(100 * np.diff(y)).model_
    omega, alpha, beta = fitted["coeff"]
    variance = omega + alpha * fitted["y_vals"][-1] ** 2 + beta * fitted["sigma2_vals"][-1]
    ahead = []
    for _ in range(days):
        ahead.append(variance)
        variance = omega + (alpha + beta) * variance
    scale = np.sqrt(np.cumsum(ahead)) / 100
    z = np.array([NormalDist().inv_cdf((1 + c) / 2) for c in confidences])
    return np.outer(scale, np.concatenate([-z, z]))


def garch_t(y, days, confidences):
    """GARCH(1,1) with Student-t errors by arch: quantiles of the sums of simulated returns."""
    model = ZeroMean(100 * np.diff(y), volatility=GarchVolatility(), distribution=StudentsT(seed=1))
    fitted = model.fit(disp="off", show_warning=False)
    paths = fitted.forecast(horizon=days, method="simulation", simulations=PATHS).simulations.values[-1]
    tails = [(1 - c) / 2 for c in confidences]
    return np.quantile(np.cumsum(paths, axis=1), tails + [1 - p for p in tails], axis=0).T / 100


def conformal_scaled(y, days, confidences):
    """Split conformal intervals by crepes around the last close: its errors in the past, each over the volatility of its
    day, which is EWMA(0.94)."""
    returns = np.diff(y)
    variance = np.empty(len(y))  # as it is known at each close
    variance[: WARMUP + 1] = np.mean(returns[:WARMUP] ** 2)
    for t in range(WARMUP + 1, len(y)):
        variance[t] = 0.94 * variance[t - 1] + 0.06 * returns[t - 1] ** 2
    sigma = np.maximum(np.sqrt(variance), 1e-6)
    bounds = np.empty((days, 2 * len(confidences)))
    for h in range(1, days + 1):
        past = np.arange(WARMUP, len(y) - h)
        regressor = ConformalRegressor().fit(residuals=y[past + h] - y[past], sigmas=sigma[past])
        for i, c in enumerate(confidences):
            bounds[h - 1, [i, i + len(confidences)]] = regressor.predict_int(
                np.zeros(1), sigmas=sigma[-1:], confidence=c)[0]
    return bounds


METHODS = {
    "statsforecast Naive": library(Naive()),
    "statsforecast AutoETS": library(AutoETS(season_length=1)),
    "statsforecast AutoARIMA": library(AutoARIMA(season_length=1)),
    "statsforecast GARCH(1,1)": garch_normal,
    "statsforecast Naive, conformal": conformal_library,
    "arch GARCH(1,1)-t": garch_t,
    "crepes split conformal, EWMA scale": conformal_scaled,
}


def run(forecast, y, days, confidences):
    began = time.process_time()
    try:
        bounds = forecast(y, days, confidences)
        cpu = time.process_time() - began
        if bounds.shape != (days, 2 * len(confidences)) or not np.isfinite(bounds).all():
            raise ValueError("bounds that are not finite")
    except Exception as e:  # whatever a library does with one series
        return {"error": f"{type(e).__name__}: {e}"}
    return {"cpu": cpu, "bounds": np.round(bounds, 7).tolist()}


def main(path):
    warnings.simplefilter("ignore")
    with open(path) as f:
        given = json.load(f)
    series = [np.log(np.asarray(closes, dtype=float)) for closes in given["series"]]
    # The first call of a method may compile or import.
    some = np.cumsum(np.random.default_rng(1).normal(scale=0.02, size=len(series[0])))
    for name, forecast in METHODS.items():
        run(forecast, some, given["days"], given["confidences"])
        for i, y in enumerate(series):
            print(json.dumps({"method": name, "series": i, **run(forecast, y, given["days"], given["confidences"])}),
                  flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
