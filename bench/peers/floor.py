"""The floor: bodies made beforehand, sent over raw sockets by threads that do nothing else.

Used as `floor.py --config FILE`, with finished bodies on standard input, one a line.
"""

from __future__ import annotations

import json
import queue
import socket
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

from bench.shop import headers


def _send(bodies: queue.SimpleQueue[bytes | None], host: str, port: int, head: bytes) -> None:
    with socket.create_connection((host, port)) as used:
        used.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (body := bodies.get()) is not None:
            used.sendall(b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body))
            if not used.recv(65536).startswith(b"HTTP/1.1 200"):
                raise SystemExit("refused")


def main() -> None:
    """Send all that standard input holds."""
    config = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    url = urlsplit(config["api_url"])
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers().items())
    head = f"POST {url.path}/events/ HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: application/json\r\n{fields}"
    bodies: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    for line in sys.stdin.buffer:
        bodies.put(line.rstrip(b"\n"))
    told = (bodies, url.hostname, url.port, head.encode())
    workers = [threading.Thread(target=_send, args=told) for _ in range(config["max_concurrency"])]
    for worker in workers:
        bodies.put(None)
        worker.start()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main()
