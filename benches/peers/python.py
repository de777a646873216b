"""Python and Rust against their peers on one upstream, in turns:
`python benches/peers/python.py --upstream target/release/examples/bench_upstream --rust target/release/examples/bench_rust`.

Every contender makes the same call, one after the other in rounds, so that what else the machine does meets all of them. Printed are
the median of all calls, the 95th percentile, calls a second with 32 in flight, and the ratio of the medians to ours, with the least and
greatest of the rounds. A peer whose package is missing is left out and named.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

PROMPT = (
    "Tell an advertiser in one plain sentence: the change of a daily budget was applied: a raise of about 20 %. "
    "The reason was that deals worth more than the share of the budget came from these ads."
)
MESSAGES = [{"role": "user", "content": PROMPT}]
Call = Callable[[], Awaitable[Any]]


def ours_config(url: str) -> dict[str, Any]:
    os.environ.setdefault("XYNERGY_BENCH_KEY", "bench")
    return {
        "version": 1,
        "ai": {
            "providers": {
                "openai": {
                    "base_url": url,
                    "api_key": {"env": "XYNERGY_BENCH_KEY"},
                    "model": "bench-1",
                    "price": {"per_request_nano_usd": 1000},
                }
            }
        },
    }


async def contenders(url: str, wanted: list[str]) -> tuple[dict[str, Call], list[str]]:
    found: dict[str, Call] = {}
    missing: list[str] = []

    async def add(name: str, make: Callable[[], Awaitable[Call]]) -> None:
        if wanted and name not in wanted:
            return
        try:
            found[name] = await make()
        except ImportError as error:
            missing.append(f"{name} ({error.name or error})")

    async def xynergy() -> Call:
        import xynergy

        client = xynergy.Client(ours_config(url))
        request = {"messages": MESSAGES, "max_tokens": 64, "xynergy": {"cache": False}}
        return lambda: client.ai.chat(request)

    async def aiohttp() -> Call:
        import aiohttp

        session = aiohttp.ClientSession()
        body = {"model": "bench-1", "messages": MESSAGES, "max_tokens": 64}
        headers = {"Authorization": "Bearer bench"}

        async def call() -> Any:
            async with session.post(url + "/chat/completions", json=body, headers=headers) as response:
                return await response.json()

        return call

    async def openai() -> Call:
        from openai import AsyncOpenAI

        client = AsyncOpenAI(base_url=url, api_key="bench")
        return lambda: client.chat.completions.create(model="bench-1", messages=MESSAGES, max_tokens=64)

    async def tensorzero() -> Call:
        from tensorzero import AsyncTensorZeroGateway

        config = Path(tempfile.mkdtemp()) / "tensorzero.toml"
        config.write_text(
            "[gateway]\nobservability.enabled = false\n"
            '[models.bench]\nrouting = ["openai"]\n'
            '[models.bench.providers.openai]\ntype = "openai"\nmodel_name = "bench-1"\n'
            f'api_base = "{url}/"\napi_key_location = "none"\n'
            '[functions.ask]\ntype = "chat"\n'
            '[functions.ask.variants.only]\ntype = "chat_completion"\nmodel = "bench"\nmax_tokens = 64\n'
        )
        gateway = await AsyncTensorZeroGateway.build_embedded(config_file=str(config), async_setup=True)  # type: ignore[misc]
        return lambda: gateway.inference(function_name="ask", input={"messages": MESSAGES})

    async def litellm() -> Call:
        os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
        import litellm

        litellm.suppress_debug_info = True
        parameters = {"model": "openai/bench-1", "api_base": url, "api_key": "bench"}
        router = litellm.Router(model_list=[{"model_name": "bench", "litellm_params": parameters}])
        return lambda: router.acompletion(model="bench", messages=MESSAGES, max_tokens=64)

    for name, make in [
        ("xynergy", xynergy),
        ("aiohttp", aiohttp),
        ("tensorzero", tensorzero),
        ("openai", openai),
        ("litellm", litellm),
    ]:
        await add(name, make)
    return found, missing


class Rust:
    """The contenders of the program `bench_rust`, which makes its calls itself: `xynergy` with every layer on, and `reqwest`."""

    def __init__(self, program: str, url: str) -> None:
        self.process = subprocess.Popen([program, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, order: str) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


async def one_by_one(call: Call | tuple[Rust, str], calls: int) -> list[float]:
    if isinstance(call, tuple):
        rust, name = call
        seconds: list[float] = rust.ask(f"one {name} {calls}")
        return seconds
    taken = []
    for _ in range(calls):
        start = time.perf_counter()
        await call()
        taken.append(time.perf_counter() - start)
    return taken


async def in_flight(call: Call | tuple[Rust, str], calls: int, width: int) -> float:
    if isinstance(call, tuple):
        rust, name = call
        return float(rust.ask(f"flight {name} {calls} {width}"))
    left = calls

    async def worker() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await call()

    start = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(width)))
    return calls / (time.perf_counter() - start)


async def against_peers(url: str, rounds: int, calls: int, wanted: list[str], rust: Rust | None) -> dict[str, Any]:
    in_python, missing = await contenders(url, wanted)
    found: dict[str, Call | tuple[Rust, str]] = dict(in_python)
    if rust is not None:
        found.update({"xynergy in Rust": (rust, "xynergy"), "reqwest": (rust, "reqwest")})
    taken: dict[str, list[list[float]]] = {name: [] for name in found}
    rates: dict[str, list[float]] = {name: [] for name in found}
    for call in found.values():
        await one_by_one(call, 50)
    gc.collect()
    for _ in range(rounds):
        for name, call in found.items():
            taken[name].append(await one_by_one(call, calls))
        for name, call in found.items():
            rates[name].append(await in_flight(call, calls * 2, 32))
    report: dict[str, Any] = {"missing": missing, "peers": {}}
    ours = [name for name in ("xynergy", "xynergy in Rust") if name in found]
    for name in found:
        medians = [statistics.median(of_round) for of_round in taken[name]]
        every = sorted(t for of_round in taken[name] for t in of_round)
        report["peers"][name] = {
            "p50_us": round(statistics.median(every) * 1e6, 1),
            "p95_us": round(every[int(len(every) * 0.95)] * 1e6, 1),
            "per_second_at_32": round(statistics.median(rates[name])),
        }
        for us in ours:
            ratios = [statistics.median(mine) / theirs for mine, theirs in zip(taken[us], medians)]
            speedups = [mine / theirs for mine, theirs in zip(rates[us], rates[name])]
            report["peers"][name][f"p50 of {us} over it"] = [round(f(ratios), 3) for f in (statistics.median, min, max)]
            report["peers"][name][f"throughput of {us} over it"] = [round(f(speedups), 3) for f in (statistics.median, min, max)]
    return report


async def cache_hit(url: str, rounds: int) -> list[float]:
    """Microseconds a hit: median, least and greatest of the rounds."""
    import xynergy

    client = xynergy.Client(ours_config(url))
    request = {"messages": MESSAGES, "max_tokens": 64}
    await client.ai.chat(request)
    of_round = []
    for _ in range(rounds):
        of_round.append(statistics.median(await one_by_one(lambda: client.ai.chat(request), 2_000)) * 1e6)
    return [round(f(of_round), 2) for f in (statistics.median, min, max)]


def import_time(rounds: int) -> list[float]:
    """Milliseconds that `import xynergy` adds to the interpreter's start: median, least and greatest."""

    def started(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - start

    added = [(started("import xynergy") - started("pass")) * 1e3 for _ in range(rounds)]
    return [round(f(added), 1) for f in (statistics.median, min, max)]


async def memory(url: str, calls: int) -> dict[str, Any]:
    """The resident memory in kilobytes while `calls` calls are made, one in ten over the network, the others hits."""
    import xynergy

    client = xynergy.Client(ours_config(url))
    hit = {"messages": MESSAGES, "max_tokens": 64}
    miss = {**hit, "xynergy": {"cache": False}}

    def resident() -> int:
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    samples = []
    for step in range(11):
        for n in range(calls // 10 if step else 20_000):
            await client.ai.chat(miss if n % 10 == 0 else hit)
        gc.collect()
        samples.append(resident())
    return {"calls": calls, "resident_kb": samples, "grown_percent": round((samples[-1] / samples[1] - 1) * 100, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upstream", required=True, help="the upstream's program: the example bench_upstream, built in release")
    parser.add_argument("--rust", default="", help="Rust's program: the example bench_rust, built in release")
    parser.add_argument("--streams", type=int, default=0, metavar="COUNT", help="also watch the memory of so many streams at once, in Rust")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=400, help="calls a round and contender")
    parser.add_argument("--peers", default="", help="only these of Python's, separated by commas")
    parser.add_argument("--memory", type=int, default=0, metavar="CALLS", help="also watch the memory over so many calls")
    options = parser.parse_args()
    server = subprocess.Popen([options.upstream], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None and server.stdin is not None
    url = server.stdout.readline().strip()
    rust = Rust(options.rust, url) if options.rust else None
    try:
        wanted = [name for name in options.peers.split(",") if name]
        report = asyncio.run(against_peers(url, options.rounds, options.calls, wanted, rust))
        if not wanted or "xynergy" in wanted:
            report["cache_hit_us"] = asyncio.run(cache_hit(url, options.rounds))
            report["import_ms"] = import_time(max(options.rounds, 5))
            if options.memory:
                report["memory"] = asyncio.run(memory(url, options.memory))
        if rust is not None:
            alone = sorted(rust.ask("overhead 20000"))
            report["rust_alone_us"] = {"p50": round(alone[len(alone) // 2] * 1e6, 2), "p95": round(alone[len(alone) * 95 // 100] * 1e6, 2)}
            if options.memory:
                report["rust_memory"] = rust.ask(f"memory {options.memory}")
            if options.streams:
                report["rust_streams"] = rust.ask(f"streams {options.streams}")
        report["peak_resident_kb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    finally:
        if rust is not None:
            rust.close()
        server.stdin.close()
        server.wait()
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
