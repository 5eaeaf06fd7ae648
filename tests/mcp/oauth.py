"""An MCP server that wants a login, and the authorization server that gives one. Access tokens of a login are over at once,
so that only who renews them gets in."""

import base64
import hashlib
import json
import secrets
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

STATE = {"clients": {}, "codes": {}, "devices": {}, "refresh": {}, "renewed": set()}


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def base(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def reply(self, status, body=None, more=()):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in more:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        url = urlsplit(self.path)
        if url.path == "/.well-known/oauth-protected-resource/mcp":
            servers = [self.base()]
            return self.reply(200, {"resource": f"{self.base()}/mcp", "authorization_servers": servers})
        if url.path == "/.well-known/oauth-authorization-server":
            return self.reply(200, {
                "issuer": self.base(),
                "authorization_endpoint": f"{self.base()}/authorize",
                "token_endpoint": f"{self.base()}/token",
                "registration_endpoint": f"{self.base()}/register",
                "device_authorization_endpoint": f"{self.base()}/device",
                "response_types_supported": ["code"],
                "code_challenge_methods_supported": ["S256"],
            })
        if url.path == "/authorize":
            asked = {name: values[0] for name, values in parse_qs(url.query).items()}
            known = STATE["clients"].get(asked["client_id"], [])
            if asked["redirect_uri"] not in known or asked["code_challenge_method"] != "S256":
                return self.reply(400)
            code = secrets.token_urlsafe(16)
            STATE["codes"][code] = asked
            back = urlencode({"code": code, "state": asked["state"]})
            return self.reply(302, more=[("Location", f"{asked['redirect_uri']}?{back}")])
        if url.path == "/mcp":
            return self.reply(401 if not self.allowed() else 405, more=self.challenge())
        self.reply(404)

    def challenge(self):
        at = f"{self.base()}/.well-known/oauth-protected-resource/mcp"
        return [("WWW-Authenticate", f'Bearer resource_metadata="{at}"')]

    def allowed(self):
        return self.headers.get("Authorization", "").removeprefix("Bearer ") in STATE["renewed"]

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/register":
            asked = json.loads(body)
            client = secrets.token_urlsafe(8)
            STATE["clients"][client] = asked["redirect_uris"]
            return self.reply(201, {"client_id": client, **asked})
        if self.path == "/device":
            code = secrets.token_urlsafe(16)
            STATE["devices"][code] = 0
            return self.reply(200, {"device_code": code, "user_code": "ABCD-EFGH", "interval": 1,
                                    "verification_uri": f"{self.base()}/activate", "expires_in": 60})
        if self.path == "/token":
            return self.token({name: values[0] for name, values in parse_qs(body.decode()).items()})
        if self.path == "/mcp":
            return self.mcp(json.loads(body))
        self.reply(404)

    def token(self, asked):
        if asked["client_id"] not in STATE["clients"] or asked["resource"] != f"{self.base()}/mcp":
            return self.reply(400, {"error": "invalid_client"})
        access = f"access-{secrets.token_urlsafe(24)}"
        answer = {"access_token": access, "token_type": "Bearer", "expires_in": 3600}
        kind = asked["grant_type"]
        if kind == "authorization_code":
            given = STATE["codes"].pop(asked["code"], None)
            digest = hashlib.sha256(asked["code_verifier"].encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if not given or given["code_challenge"] != challenge:
                return self.reply(400, {"error": "invalid_grant"})
        elif kind == "urn:ietf:params:oauth:grant-type:device_code":
            STATE["devices"][asked["device_code"]] += 1
            if STATE["devices"][asked["device_code"]] < 2:
                return self.reply(400, {"error": "authorization_pending"})
        elif kind == "refresh_token":
            if STATE["refresh"].get(asked["refresh_token"]) != asked["client_id"]:
                return self.reply(400, {"error": "invalid_grant"})
            STATE["renewed"].add(access)
            return self.reply(200, answer)
        else:
            return self.reply(400, {"error": "unsupported_grant_type"})
        refresh = f"refresh-{secrets.token_urlsafe(24)}"
        STATE["refresh"][refresh] = asked["client_id"]
        self.reply(200, {**answer, "refresh_token": refresh, "expires_in": 0})

    def mcp(self, message):
        if not self.allowed():
            return self.reply(401, more=self.challenge())
        if "id" not in message:
            return self.reply(202)
        method, params = message["method"], message.get("params") or {}
        if method == "initialize":
            result = {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}},
                      "serverInfo": {"name": "tickets", "version": "1"}}
        elif method == "tools/list":
            result = {"tools": [{"name": "whoami", "inputSchema": {"type": "object"}}]}
        else:
            text = "logged in with " + self.headers["Authorization"]
            result = {"content": [{"type": "text", "text": text}]}
        self.reply(200, {"jsonrpc": "2.0", "id": message["id"], "result": result})


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
server.daemon_threads = True
print(server.server_port, flush=True)
server.serve_forever()
