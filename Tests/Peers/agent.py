"""An agent, small web servers to register with it, and the program beside it."""
import http.server
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request


class Skipped(Exception):
    """The program is not here."""


# Where .ci/install-python-peers puts programs.
PYTHON_PROGRAMS = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../.build/peers-venv/bin"))


def program(name, package):
    """The path of a program."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:" + PYTHON_PROGRAMS)
    if not found:
        raise Skipped(f"{name} is not installed ({package})")
    return found


def eventually(what, condition, seconds=20):
    """Waits until something is so."""
    deadline = time.monotonic() + seconds
    while True:
        last = condition()
        if last:
            return last
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.1)


def get(url, timeout=2):
    """Status and text of an answer; status 0 where there is none."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


class Agent:
    """A development agent on an address of its own, and everything that was started beside it."""

    def __init__(self, binary, ip, config=None):
        self.binary, self.ip, self.config = binary, ip, config or {}
        self.folder = tempfile.mkdtemp(prefix="peers-")
        self.processes, self.servers = [], []

    def __enter__(self):
        config = self.write("agent.json", json.dumps({
            "telemetry": {"prometheus_retention_time": "60s", "disable_hostname": True}, "dns_config": {"service_ttl": {"*": "0s"}},
            **self.config,
        }))
        self.start([self.binary, "agent", "-dev", "-node=peers", f"-bind={self.ip}", f"-client={self.ip}",
                    f"-config-file={config}"])
        eventually("an agent that answers", lambda: "peers" in get(f"{self.url}/v1/catalog/nodes")[1])
        return self

    def __exit__(self, kind, *_):
        for server in self.servers:
            server.shutdown()
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        if kind is AssertionError:
            for name in sorted(os.listdir(self.folder)):
                if name.endswith(".log"):
                    with open(os.path.join(self.folder, name), encoding="utf-8", errors="replace") as log:
                        print(f"--- {name}\n{log.read()[-3000:]}")
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self):
        return f"http://{self.ip}:8500"

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def start(self, command):
        """Starts a program that ends with the agent."""
        with open(os.path.join(self.folder, f"{len(self.processes)}.log"), "wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        self.processes.append(process)
        return process

    def serve(self, ip, port, text):
        """A web server that answers everything with a text."""
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = text.encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer((ip, port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.servers.append(server)

    def put(self, path, value=None):
        request = urllib.request.Request(self.url + path, method="PUT", data=json.dumps(value).encode())
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert answer.status == 200, path

    def register(self, name, identifier, ip, port, **more):
        self.put("/v1/agent/service/register", {"Name": name, "ID": identifier, "Address": ip, "Port": port, **more})

    def deregister(self, identifier):
        self.put(f"/v1/agent/service/deregister/{identifier}")
