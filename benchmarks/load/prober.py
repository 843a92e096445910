"""Asks for one hash every 5 ms for some seconds, from a process of its own, and prints the 99th
percentile in milliseconds: `python -m benchmarks.load.prober PORT SECONDS`."""

import http.client
import json
import sys
import time


def main() -> None:
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    body = json.dumps({"image_hash": f"{7:064x}"})
    headers = {"Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", port)
    times: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        started = time.perf_counter()
        connection.request("POST", "/api/v1/classify/check-cache", body, headers)
        connection.getresponse().read()
        times.append(time.perf_counter() - started)
        time.sleep(0.005)
    print(sorted(times)[int(len(times) * 0.99)] * 1000)


if __name__ == "__main__":
    main()
