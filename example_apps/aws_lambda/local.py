"""Runs the function on this machine: makes an event of payload 2.0 of each request, as a function URL does.

python local.py --port 8000
python local.py event.json       prints what the function answers to one event
"""

import argparse
import base64
import http.server
import json
import time
import uuid

from function import handler


def event_of(request, body):
    """Return the event of a request."""
    path, _, query = request.path.partition("?")
    host = request.headers.get("Host", "localhost")
    now = time.time()
    headers = {}
    for name, value in request.headers.items():
        if name.lower() != "cookie":
            headers[name.lower()] = f"{headers[name.lower()]},{value}" if name.lower() in headers else value
    cookies = [pair.strip() for line in request.headers.get_all("Cookie", ()) for pair in line.split(";")]
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {**headers, "x-forwarded-proto": "http", "x-forwarded-for": request.client_address[0]},
        "requestContext": {
            "accountId": "anonymous",
            "domainName": host,
            "http": {
                "method": request.command,
                "path": path,
                "protocol": request.request_version,
                "sourceIp": request.client_address[0],
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": "$default",
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if body:
        event["body"] = body.decode()
    return event


class Gateway(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            answer = handler(event_of(self, body), None)
        except Exception as error:  # as Lambda reports an invocation that failed
            self.log_error("%r", error)
            answer = {"statusCode": 502, "body": "Internal Server Error"}
        content = answer.get("body", "")
        content = base64.b64decode(content) if answer.get("isBase64Encoded") else content.encode()
        self.send_response(answer["statusCode"])
        for name, value in answer.get("headers", {}).items():
            self.send_header(name, value)
        for line in answer.get("cookies", ()):
            self.send_header("Set-Cookie", line)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = serve  # noqa: N815


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("event", nargs="?", help="a file with one event")
    options.add_argument("--port", type=int, default=8000)
    given = options.parse_args()
    if given.event:
        with open(given.event, encoding="utf-8") as file:
            print(json.dumps(handler(json.load(file), None), indent=2))
        return
    with http.server.ThreadingHTTPServer(("127.0.0.1", given.port), Gateway) as server:
        print(f"http://localhost:{server.server_port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
