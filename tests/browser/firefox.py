"""Firefox without a driver: the browser's own WebDriver BiDi, over a socket. Just what the tests of the pieces ask."""

from __future__ import annotations

import asyncio
import json
import subprocess
from itertools import count
from pathlib import Path
from typing import Any, Self

from tornado.websocket import websocket_connect

STARTED = "WebDriver BiDi listening on "


class Firefox:
    """A headless Firefox with a profile in ``folder``. Use it with ``async with``."""

    def __init__(self, program: str, folder: Path) -> None:
        self.program, self.folder, self.numbers = program, folder, count(1)
        self.errors: list[str] = []

    async def __aenter__(self) -> Self:
        self.process = await asyncio.create_subprocess_exec(
            self.program, "--headless", "--no-remote", "--profile", str(self.folder), "--remote-debugging-port", "0",
            stdout=subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async for line in self.process.stderr:
            if STARTED in line.decode():
                address = line.decode().split(STARTED)[1].strip()
                break
        self.socket = await websocket_connect(f"{address}/session")
        await self.send("session.new", capabilities={})
        await self.send("session.subscribe", events=["log.entryAdded"])
        contexts = (await self.send("browsingContext.getTree"))["contexts"]
        self.context = contexts[0]["context"]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.socket.close()
        self.process.terminate()
        await self.process.communicate()

    async def send(self, method: str, **parameters: Any) -> Any:
        """One command and its answer. Errors that pages log meanwhile are kept.

        Raises:
            RuntimeError: the browser refuses.
        """
        number = next(self.numbers)
        await self.socket.write_message(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(await self.socket.read_message())
            if message.get("method") == "log.entryAdded" and message["params"]["level"] == "error":
                self.errors.append(message["params"]["text"])
            if message.get("id") == number:
                if message["type"] == "error":
                    raise RuntimeError(f"{method}: {message['message']}")
                return message["result"]

    async def open(self, address: str) -> None:
        """Load a page."""
        await self.send("browsingContext.navigate", context=self.context, url=address, wait="complete")

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression, awaited, as JSON has it.

        Raises:
            RuntimeError: the expression throws.
        """
        found = await self.send(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})))()",
            target={"context": self.context},
            awaitPromise=True,
        )
        if found["type"] == "exception":
            raise RuntimeError(found["exceptionDetails"]["text"])
        return json.loads(found["result"]["value"])
