"""Asks a server by tritonclient.http: python triton.py HOST:PORT. Anything unexpected raises."""

import sys

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

client = InferenceServerClient(sys.argv[1])


def tensor(name, datatype, values, **how):
    values = np.array(values)
    t = InferInput(name, list(values.shape), datatype)
    t.set_data_from_numpy(values, **how)
    return t


def inputs(**how):
    return [
        tensor("ticker", "BYTES", np.array(["AAPL", "MSFT"], dtype=object), **how),
        tensor("days_ahead", "INT32", np.array([3, 5], dtype=np.int32), **how),
        tensor("confidence_interval", "FP32", np.array([0.9], dtype=np.float32), **how),
    ]


def outputs(result):
    assert result.get_response().get("id", "7") == "7", result.get_response()
    names = ["date", "predicted_price", "confidence_lower", "confidence_upper"]
    values = [result.as_numpy(name) for name in names]
    assert all(v.shape == (2, 5) for v in values), values
    dates = [[d if isinstance(d, str) else d.decode() for d in row] for row in values[0]]
    assert all(len(d) == len("2026-01-02") for row in dates for d in row), dates
    price, lower, upper = values[1:]
    assert (lower < price).all() and (price < upper).all()
    return dates, [v.tolist() for v in values[1:]]


def refusal(call):
    try:
        call()
    except InferenceServerException as e:
        return e.message()
    raise AssertionError("not refused")


assert client.is_server_live() and client.is_server_ready()
assert client.is_model_ready("prices") and client.is_model_ready("tickercast")
metadata = client.get_model_metadata("prices")
[version] = metadata["versions"]
assert metadata == client.get_model_metadata("prices", model_version=version), metadata
assert client.is_model_ready("prices", model_version=version)
assert not client.is_model_ready("prices", model_version="1")
assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
[row] = client.get_model_repository_index()
assert row == {"name": "prices", "version": version, "state": "READY", "reason": ""}, row

want = outputs(client.infer("prices", inputs()))  # binary both ways, which is the default
for binary_in in True, False:
    for binary_out in True, False, None:
        for coding in None, "gzip":
            wanted = None
            if binary_out is not None:
                wanted = [
                    InferRequestedOutput(o["name"], binary_data=binary_out)
                    for o in reversed(metadata["outputs"])
                ]
            result = client.infer(
                "prices",
                inputs(binary_data=binary_in),
                outputs=wanted,
                model_version=version,
                request_id="7",
                request_compression_algorithm=coding,
                response_compression_algorithm=coding,
            )
            assert outputs(result) == want, (binary_in, binary_out, coding)

many = np.array(["AAPL", "MSFT"] * 500, dtype=object)  # long enough to be compressed
days = tensor("days_ahead", "UINT8", np.array([30], dtype=np.uint8))
long = client.infer("tickercast", [tensor("ticker", "BYTES", many), days])
for coding in "gzip", "deflate":
    same = client.infer(
        "tickercast", [tensor("ticker", "BYTES", many), days], response_compression_algorithm=coding
    )
    assert (same.as_numpy("predicted_price") == long.as_numpy("predicted_price")).all()
assert long.as_numpy("predicted_price").shape == (1000, 30)

for call, text in [
    (lambda: client.infer("other", inputs()), "unknown model 'other'"),
    (lambda: client.infer("prices", inputs(), model_version="1"), "unknown version '1'"),
    (lambda: client.infer("prices", inputs()[1:]), "input ticker is missing"),
    (
        lambda: client.infer("prices", [tensor("ticker", "BYTES", np.array(["ZZZZQ"], dtype=object))]),
        "unknown ticker 'ZZZZQ'",
    ),
    (
        lambda: client.infer("prices", inputs(), request_compression_algorithm="deflate"),
        "Unsupported Content-Encoding",
    ),
    (lambda: client.get_model_config("prices"), "Not Found"),
    (lambda: client.get_inference_statistics("prices"), "Not Found"),
    (lambda: client.load_model("prices"), "Not Found"),
]:
    assert text in refusal(call), refusal(call)
print("ok")
