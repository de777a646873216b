"""Forks, threads, loops, and how the process ends."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import xynergy
from xynergy import blocking

from conftest import DEADLINE, Echo, chat, clean, client, program, run

SETUP = """
import asyncio, os, sys, threading, time, multiprocessing, xynergy
from xynergy import blocking
from xynergy.testing import FakeProvider

class Slow:
    async def chat(self, *, ctx, request):
        await asyncio.sleep(60)

class SlowSync:
    def chat(self, *, ctx, request):
        time.sleep(60)

ASK = {"messages": [{"role": "user", "content": "hi"}]}

def fresh(n):
    return {"messages": [{"role": "user", "content": f"hi {n}"}]}
"""

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.mark.parametrize(
    "ending",
    [
        "import xynergy; xynergy.Client({'version': 1})",
        # A call under way when the main coroutine ends.
        "async def main():\n    c = xynergy.Client({'version': 1}, providers={'p': Slow()})\n"
        "    t = asyncio.ensure_future(c.ai.chat(ASK))\n    await asyncio.sleep(0.1)\nasyncio.run(main())",
        # Many, in an open client.
        "async def main():\n    async with xynergy.Client({'version': 1}, providers={'p': Slow()}) as c:\n"
        "        ts = [asyncio.ensure_future(c.ai.chat(fresh(i))) for i in range(200)]\n        await asyncio.sleep(0.1)\n"
        "        for t in ts: t.cancel()\nasyncio.run(main())",
        # A sync method that hangs.
        "async def main():\n    c = xynergy.Client({'version': 1}, providers={'p': SlowSync()})\n"
        "    t = asyncio.ensure_future(c.ai.chat(ASK))\n    await asyncio.sleep(0.1)\nasyncio.run(main())",
        # A stream that nobody reads on.
        "async def main():\n    c = xynergy.Client({'version': 1}, providers={'p': FakeProvider('a b c')})\n"
        "    s = c.ai.stream(ASK)\n    await s.__anext__()\nasyncio.run(main())",
        # A loop that is closed by hand, with a call in it.
        "loop = asyncio.new_event_loop()\nc = xynergy.Client({'version': 1}, providers={'p': Slow()})\n"
        "async def main():\n    global t\n    t = loop.create_task(c.ai.chat(ASK, timeout=0.3))\n    await asyncio.sleep(0.1)\n"
        "loop.run_until_complete(main())\nt.cancel()\n"
        "try:\n    loop.run_until_complete(t)\nexcept asyncio.CancelledError:\n    pass\nloop.close()\ntime.sleep(0.4)",
        # The sandbox, left running.
        "async def main():\n    global sb\n    sb = await xynergy.sandbox.start()\n"
        "    c = sb.client()\n    await c.ai.generate('hi')\nasyncio.run(main())",
        "sb = xynergy.sandbox.start().start_blocking()\nsb.client().ai.generate('hi')",
        # An exit in the middle.
        "async def main():\n    c = xynergy.Client({'version': 1}, providers={'p': Slow()})\n"
        "    t = asyncio.ensure_future(c.ai.chat(ASK))\n    await asyncio.sleep(0.1)\n    sys.exit(0)\nasyncio.run(main())",
        # Events on their way.
        "c = blocking.Client({'version': 1}, providers={'p': FakeProvider()}, on_event=lambda e: None)\n"
        "for i in range(200): c.ai.chat(fresh(i))",
    ],
)
def test_the_process_ends_with_zero_and_says_nothing(ending: str) -> None:
    for _ in range(3):
        clean(SETUP + "\n" + ending)


@pytest.mark.parametrize(
    "ending",
    [
        # A daemon thread in a blocking call.
        "c = blocking.Client({'version': 1}, providers={'p': Slow()})\n"
        "def call():\n    try:\n        c.ai.chat(ASK)\n    except xynergy.XynergyError:\n        pass\n"
        "threading.Thread(target=call, daemon=True).start()\ntime.sleep(0.2)",
        # Daemon threads that call and call.
        "c = blocking.Client({'version': 1, 'ai': {'cache': {'enabled': False}}}, providers={'p': FakeProvider()})\n"
        "def call():\n    while True:\n        try:\n            c.ai.chat(ASK)\n        except xynergy.XynergyError:\n"
        "            time.sleep(0.001)\n"
        "for _ in range(3): threading.Thread(target=call, daemon=True).start()\ntime.sleep(0.1)",
    ],
)
def test_the_process_ends_under_its_daemon_threads(ending: str) -> None:
    # Where such a thread is when the interpreter ends is a matter of luck: more processes than processors, many times.
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(clean, [SETUP + "\n" + ending] * 40)) == [""] * 40


def test_a_task_that_is_pending_when_the_loop_ends_is_no_storm() -> None:
    code = """
    async def main():
        c = xynergy.Client({'version': 1}, providers={'p': FakeProvider(lambda r: time.sleep(0.2) or 'x')})
        global ts
        ts = [asyncio.ensure_future(c.ai.chat(fresh(i))) for i in range(100)]
        await asyncio.sleep(0)
    asyncio.run(main())
    time.sleep(0.5)
    """
    clean(SETUP + textwrap.dedent(code))


def test_two_loops_in_two_threads_and_many_threads() -> None:
    c = client()
    b = blocking.Client({"version": 1}, providers={"echo": Echo()})
    failures: list[BaseException] = []

    async def many(name: str) -> None:
        for i in range(40):
            answers = await asyncio.gather(*(c.ai.chat(chat(f"{name} {i} {j}")) for j in range(5)))
            assert answers[3].choices[0].message.content == f"default said {name} {i} 3"

    def guarded(work: Any) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    def block(name: str) -> None:
        for i in range(40):
            assert b.ai.chat(chat(f"{name} {i}")).choices[0].message.content == f"default said {name} {i}"

    jobs = [lambda n=n: asyncio.run(many(f"loop{n}")) for n in range(4)] + [lambda n=n: block(f"thread{n}") for n in range(4)]
    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert not failures, failures


def test_the_same_client_in_one_loop_after_the_other() -> None:
    c = client()
    for i in range(20):
        assert run(c.ai.chat(chat(f"{i}"))).choices[0].message.content == f"default said {i}"
    from xynergy import _loop

    gc.collect()
    assert not [b for b in _loop._bridges.values() if b.loop_ref() is None or b.loop_ref().is_closed()]  # type: ignore[union-attr]


def test_descriptors_and_threads_do_not_grow() -> None:
    def count() -> tuple[int, int]:
        gc.collect()
        return len(os.listdir("/proc/self/fd")), threading.active_count()

    def once() -> None:
        async def work() -> None:
            async with client() as c:
                await c.ai.chat(chat("x"))

        asyncio.run(work())

    for _ in range(5):
        once()
    before = count()
    for _ in range(50):
        once()
    after = count()
    assert after[0] <= before[0] + 3 and after[1] <= before[1] + 1, (before, after)


def test_garbage_collection_at_any_time() -> None:
    async def work() -> None:
        async with client() as c:
            for i in range(150):
                calls = [asyncio.ensure_future(c.ai.chat(chat(f"{i} {j}"))) for j in range(4)]
                stream = c.ai.stream(chat("many"))
                await stream.__anext__()
                calls[0].cancel()
                del stream
                await asyncio.gather(*calls, return_exceptions=True)

    threshold = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    try:
        run(work())
    finally:
        gc.set_threshold(*threshold)


def test_memory_stays_flat() -> None:
    def kilobytes() -> int:
        text = Path("/proc/self/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0])

    async def work() -> tuple[int, int]:
        config: Any = {"version": 1, "ai": {"cache": {"enabled": False}}}
        async with xynergy.Client(config, providers={"echo": Echo()}) as c:
            for i in range(1_500):
                await c.ai.chat(chat(f"{i % 10}"))
            before = kilobytes()
            for i in range(6_000):
                await c.ai.chat(chat(f"{i % 10}"))
            return before, kilobytes()

    before, after = run(work())
    assert after - before < 6_000, (before, after)


def test_uvloop() -> None:
    pytest.importorskip("uvloop")
    code = """
    import uvloop
    async def main():
        async with xynergy.sandbox.start() as sb, sb.client() as c:
            assert type(asyncio.get_running_loop()).__module__.startswith('uvloop')
            answers = await asyncio.gather(*(c.ai.generate(f"hi {i}") for i in range(50)))
            assert all(a.outcome == 'complete' for a in answers)
            assert [p async for p in c.ai.stream(ASK)]
        async with xynergy.Client({'version': 1}, providers={'p': FakeProvider()}) as c:
            assert (await c.ai.chat(ASK)).choices[0].message.content == 'This is a fake answer.'
            t = asyncio.ensure_future(xynergy.Client({'version': 1}, providers={'p': Slow()}).ai.chat(ASK))
            await asyncio.sleep(0.05)
            t.cancel()
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(main())
    asyncio.run(main())
    """
    clean(SETUP + textwrap.dedent(code))


def test_a_loop_that_cannot_watch_descriptors() -> None:
    code = """
    class Poor(asyncio.SelectorEventLoop):
        def add_reader(self, fd, callback, *args):
            raise NotImplementedError
    async def main():
        async with xynergy.Client({'version': 1}, providers={'p': FakeProvider()}) as c:
            for i in range(50):
                await c.ai.chat(fresh(i))
            await asyncio.gather(*(c.ai.chat(fresh(i + 100)) for i in range(50)))
    loop = Poor()
    loop.run_until_complete(main())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
    """
    clean(SETUP + textwrap.dedent(code))


FORK = """
def use(c):
    assert c.ai.chat(ASK).choices[0].message.content == 'This is a fake answer.'

async def use_async():
    async with xynergy.Client({'version': 1}, providers={'p': FakeProvider()}) as c:
        for i in range(5):
            await c.ai.chat(fresh(i))

def child(c):
    use(c)
    assert [p for p in c.ai.stream(fresh('stream'))]
    asyncio.run(use_async())
    use(blocking.Client({'version': 1}, providers={'p': FakeProvider()}))
"""


def test_use_after_a_fork() -> None:
    code = """
    c = blocking.Client({'version': 1}, providers={'p': FakeProvider()}, on_event=lambda e: None)
    use(c)
    asyncio.run(use_async())
    children = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                child(c)
                code = 0
            finally:
                sys.stdout.flush()
                os._exit(code)
        children.append(pid)
    deadline = time.time() + 30
    while children and time.time() < deadline:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid:
            assert status == 0, status
            children.remove(pid)
        time.sleep(0.01)
    assert not children, children
    use(c)
    asyncio.run(use_async())
    """
    clean(SETUP + FORK + textwrap.dedent(code))


@pytest.mark.parametrize("turn", range(8))
def test_forks_while_other_threads_call(turn: int) -> None:
    # The first fork comes while the threads do everything for the first time, so it is tried in more than one process.
    code = """
    c = blocking.Client({'version': 1, 'ai': {'cache': {'enabled': False}}}, providers={'p': FakeProvider()})
    stop = False
    def busy():
        while not stop:
            c.ai.chat(ASK)
    threads = [threading.Thread(target=busy, daemon=True) for _ in range(3)]
    for t in threads: t.start()
    for n in range(15):
        pid = os.fork()
        if pid == 0:
            import signal
            signal.alarm(20)
            code = 1
            try:
                c2 = blocking.Client({'version': 1}, providers={'p': FakeProvider()})
                use(c2)
                asyncio.run(use_async())
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        assert status == 0, (n, status)
    stop = True
    for t in threads: t.join(10)
    """
    clean(SETUP + FORK + textwrap.dedent(code))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing(method: str, tmp_path: Path) -> None:
    script = tmp_path / "pool.py"
    script.write_text(
        SETUP
        + textwrap.dedent("""
        def work(n):
            with blocking.Client({'version': 1}, providers={'p': FakeProvider()}) as c:
                text = c.ai.chat(fresh(n)).choices[0].message.content
            return asyncio.run(again(n)), text

        async def again(n):
            async with xynergy.Client({'version': 1}, providers={'p': FakeProvider('async')}) as c:
                return (await c.ai.chat(fresh(n))).choices[0].message.content

        if __name__ == '__main__':
            work(0)
            context = multiprocessing.get_context(sys.argv[1])
            with context.Pool(3) as pool:
                assert pool.map(work, range(12)) == [('async', 'This is a fake answer.')] * 12
            process = context.Process(target=work, args=(1,))
            process.start()
            process.join(30)
            assert process.exitcode == 0, process.exitcode
            work(2)
        """)
    )
    ended = subprocess.run([sys.executable, str(script), method], capture_output=True, text=True, timeout=DEADLINE)
    assert (ended.returncode, ended.stderr) == (0, "")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def fetch(url: str) -> str:
    """What is there, when the server has come up."""
    for attempt in range(200):
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                text: str = answer.read().decode()
                return text
        except (ConnectionError, urllib.error.URLError):
            if attempt == 199:
                raise
            time.sleep(0.05)
    raise AssertionError


@pytest.mark.parametrize("preload", [True, False])
def test_gunicorn_prefork(preload: bool, tmp_path: Path) -> None:
    pytest.importorskip("gunicorn")
    (tmp_path / "app.py").write_text(
        textwrap.dedent("""
        import asyncio, os
        from xynergy import blocking
        import xynergy
        from xynergy.testing import FakeProvider

        client = blocking.Client({'version': 1}, providers={'p': FakeProvider('hello')})
        client.ai.chat({'messages': [{'role': 'user', 'content': 'in the parent'}]})

        async def more(path):
            async with xynergy.Client({'version': 1}, providers={'p': FakeProvider('async')}) as c:
                return (await c.ai.chat({'messages': [{'role': 'user', 'content': path}]})).choices[0].message.content

        def app(environ, start_response):
            path = environ['PATH_INFO']
            said = client.ai.chat({'messages': [{'role': 'user', 'content': path}]}).choices[0].message.content
            start_response('200 OK', [('Content-Type', 'text/plain')])
            return [f"{os.getpid()} {said} {asyncio.run(more(path))}".encode()]
        """)
    )
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "app:app", "-w", "3", "-b", f"127.0.0.1:{port}", "--log-level", "warning"]
    server = subprocess.Popen([*command, *(["--preload"] if preload else [])], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        answers = [fetch(f"http://127.0.0.1:{port}/{n}").split() for n in range(30)]
        assert {tuple(answer[1:]) for answer in answers} == {("hello", "async")}
        assert len({answer[0] for answer in answers}) >= 1
    finally:
        server.send_signal(signal.SIGTERM)
        _, said = server.communicate(timeout=30)
    assert server.returncode == 0, said
    assert "Traceback" not in said and "panicked" not in said, said


def test_ctrl_c_ends_a_blocking_call_at_once() -> None:
    code = SETUP + textwrap.dedent("""
    c = blocking.Client({'version': 1}, providers={'p': Slow()})
    def interrupt():
        time.sleep(0.5)
        import signal
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=interrupt).start()
    started = time.time()
    try:
        c.ai.chat(ASK)
    except KeyboardInterrupt:
        assert time.time() - started < 3
        print('interrupted')
    """)
    assert clean(code) == "interrupted\n"


def test_ctrl_c_in_asyncio_run() -> None:
    code = SETUP + textwrap.dedent("""
    async def main():
        async with xynergy.Client({'version': 1}, providers={'p': Slow()}) as c:
            await c.ai.chat(ASK)
    def interrupt():
        time.sleep(0.5)
        import signal
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=interrupt).start()
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        print('interrupted')
    """)
    assert clean(code) == "interrupted\n"


def test_the_import_is_fast() -> None:
    def took(code: str) -> float:
        # Processor time: the machine may have other things to do.
        times = []
        for _ in range(7):
            process = subprocess.Popen([sys.executable, "-c", code])
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = status
            assert status == 0
            times.append(usage.ru_utime + usage.ru_stime)
        return min(times)

    assert took("import xynergy") - took("pass") < 0.05


def test_importing_loads_nothing_that_is_not_asked_for() -> None:
    said = clean("import sys, xynergy; print([m for m in ('asyncio', 'pandas', 'pydantic', 'json') if m in sys.modules])")
    assert said.strip() == "[]"
    said = clean("import sys, xynergy; xynergy.Client; print([m for m in ('pandas', 'pydantic', 'openai') if m in sys.modules])")
    assert said.strip() == "[]"


def test_a_program_that_fails_fails_with_its_own_error() -> None:
    ended = program(SETUP + "\nasyncio.run(xynergy.Client({'version': 1}).ai.generate(3))")
    assert ended.returncode == 1 and "InvalidInputError" in ended.stderr and "prompt" in ended.stderr
