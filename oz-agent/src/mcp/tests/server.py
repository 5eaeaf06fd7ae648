"""A fake MCP server over standard input and output, Streamable HTTP or the older SSE, with faults to order."""

import json
import os
import queue
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FAULT = os.environ.get("FAULT", "")
NOTE = os.environ.get("NOTE")
EXTRA = []


def tool(name, description="does it"):
    return {"name": name, "description": description, "inputSchema": {"type": "object", "$schema": "x"}}


def note(text):
    if NOTE:
        with open(NOTE, "a") as file:
            file.write(text + "\n")


def answer(message, tell):
    """The answer to a message, None for none."""
    method, params = message.get("method"), message.get("params") or {}
    if "id" not in message:
        note(f"{method}")
        return None
    result = None
    if method == "initialize":
        if FAULT == "hang":
            time.sleep(600)
        result = {
            "protocolVersion": params["protocolVersion"],
            "capabilities": {"tools": {"listChanged": True}, "resources": {}},
            "serverInfo": {"name": "fake", "version": "1"},
        }
    elif method == "tools/list":
        if FAULT == "endless":
            return {"result": {"tools": [tool("t")], "nextCursor": "more"}}
        names = ["echo", "huge", "die", "sleep", "grow", "environment"] + EXTRA
        names += [f"more_{n}" for n in range(100)] if FAULT == "many" else []
        result = {"tools": [tool(name) for name in names]}
    elif method == "tools/call":
        name, arguments = params["name"], params.get("arguments") or {}
        text = ""
        if name == "echo":
            text = arguments.get("text", "")
        elif name == "huge":
            text = "x" * 300_000
        elif name == "environment":
            text = json.dumps({"env": dict(os.environ), "cwd": os.getcwd(), "args": sys.argv[2:]})
        elif name == "die":
            print("I am going now", file=sys.stderr, flush=True)
            os._exit(3)
        elif name == "sleep":
            time.sleep(600)
        elif name == "grow":
            EXTRA.append("grown")
            tell({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
            text = "grown"
        else:
            return {"error": {"code": -32602, "message": f"no tool {name}"}}
        result = {"content": [{"type": "text", "text": text}]}
    elif method == "resources/list":
        result = {"resources": [{"uri": "x://1", "name": "one"}]}
    elif method == "resources/read":
        result = {"contents": [{"uri": params["uri"], "text": "what it says"}]}
    else:
        return {"error": {"code": -32601, "message": "unknown"}}
    return {"result": result}


def respond(message, tell):
    body = answer(message, tell)
    if body is not None:
        tell({"jsonrpc": "2.0", "id": message["id"], **body})


def stdio():
    lock = threading.Lock()

    def tell(message):
        with lock:
            print(json.dumps(message), flush=True)

    if FAULT == "flood":
        while True:
            sys.stdout.write("no message at all\n" * 1000)
    if FAULT == "die":
        print("no licence", file=sys.stderr, flush=True)
        sys.exit(4)
    if FAULT == "garbage":
        print("Welcome!\n{]\n[1, 2", flush=True)
    for line in sys.stdin:
        threading.Thread(target=respond, args=(json.loads(line), tell), daemon=True).start()


class Web(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    streams = []

    def log_message(self, *_):
        pass

    def reply(self, status, body=b"", kind="application/json", more=()):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in more:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def refused(self):
        if FAULT == "401" and self.headers.get("Authorization") != "Bearer the-token":
            self.reply(401, more=[("WWW-Authenticate", "Bearer")])
            return True
        return False

    def do_GET(self):
        if self.refused():
            return
        if sys.argv[1] != "sse":
            return self.reply(405)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        post = "http://other.invalid/post" if FAULT == "elsewhere" else "/post?session=1"
        self.wfile.write(f"event: endpoint\ndata: {post}\n\n".encode())
        if FAULT == "flood":
            while True:
                self.wfile.write(b"data: " + b"x" * 100_000)
        mine = queue.Queue()
        Web.streams.append(mine)
        while True:
            self.wfile.write(f"event: message\ndata: {json.dumps(mine.get())}\n\n".encode())

    def do_DELETE(self):
        self.reply(200)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.refused():
            return
        message = json.loads(body)
        if sys.argv[1] == "sse":
            if not self.path.startswith("/post"):
                return self.reply(404)
            self.reply(202)
            return respond(message, lambda m: [stream.put(m) for stream in Web.streams])
        if "id" not in message:
            note(message["method"])
            return self.reply(202)
        told = []
        respond(message, told.append)
        self.reply(200, json.dumps(told[-1]).encode())


def web():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    server.serve_forever()


stdio() if sys.argv[1] == "stdio" else web()
