"""Three servers as real processes, each on a loopback address of its own, and requests to them."""
import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time


class Violation(AssertionError):
    """Something was promised and not kept."""


class NoAnswer(Exception):
    """Nobody knows what became of a request. `sent` is false if it cannot have reached anybody."""

    def __init__(self, sent):
        super().__init__("no answer")
        self.sent = sent


class Client:
    """One connection to one server, opened anew after it broke."""

    def __init__(self, ip, timeout=4.0):
        self.ip, self.timeout, self.connection = ip, timeout, None

    def call(self, method, path, body=None, timeout=None):
        """Status, body and the index of an answer."""
        if not self.connection:
            self.connection = http.client.HTTPConnection(self.ip, 8500, timeout=self.timeout)
            try:
                self.connection.connect()
            except OSError:
                self.close()
                raise NoAnswer(sent=False) from None
        try:
            if timeout:
                self.connection.sock.settimeout(timeout)
            self.connection.request(method, path, body)
            answer = self.connection.getresponse()
            text = answer.read()
            if timeout and self.connection.sock:
                self.connection.sock.settimeout(self.timeout)
            return answer.status, text, int(answer.headers.get("X-Consul-Index") or 0)
        except (OSError, http.client.HTTPException):
            self.close()
            raise NoAnswer(sent=True) from None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


def ask(ip, path, timeout=1.0):
    """What a GET answers, decoded, or None."""
    client = Client(ip, timeout)
    try:
        status, text, _ = client.call("GET", path)
        return json.loads(text) if status == 200 else None
    except (NoAnswer, ValueError):
        return None
    finally:
        client.close()


class Server:
    """A server that is started, killed, stopped for a while, and started again with what is on its disk; or a client agent."""

    def __init__(self, binary, ip, folder, peers, serves=True, settings=None):
        more = settings or {}
        self.binary, self.ip, self.folder = binary, ip, folder
        self.name = ("server-" if serves else "client-") + ip.replace(".", "-")
        self.process, self.is_stopped = None, False
        self.log = os.path.join(folder, f"{self.name}.log")
        self.config = os.path.join(folder, f"{self.name}.json")
        settings = {
            "log_level": "INFO", "retry_join": peers, "retry_interval": "1s", "bind_addr": ip, "client_addr": ip,
            "node_name": self.name, "data_dir": os.path.join(folder, self.name), "server": serves,
        }
        if serves:
            settings |= {
                "performance": {"raft_multiplier": 1}, "bootstrap_expect": len(peers), "session_ttl_min": "2s",
                # An operator who restarts servers all the time does not want them to be taken out meanwhile.
                "autopilot": {"cleanup_dead_servers": False},
                # Small, so that snapshots are taken and installed while servers die.
                "raft_snapshot_threshold": 400, "raft_snapshot_interval": "2s", "raft_trailing_logs": 200,
                "limits": {"http_max_conns_per_client": 2000},
            }
        settings |= more
        with open(self.config, "w", encoding="utf-8") as file:
            json.dump(settings, file)

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "agent", "-config-file", self.config], stdout=log, stderr=subprocess.STDOUT)
        self.is_stopped = False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)
        self.is_stopped = True

    def resume(self):
        self.process.send_signal(signal.SIGCONT)
        self.is_stopped = False

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None


class Cluster:
    """Three servers, and the end of them."""

    def __init__(self, binary, prefix, settings=None):
        self.folder = tempfile.mkdtemp(prefix="cluster-", dir=os.environ.get("BENCH_DIR"))
        ips = [f"{prefix}.{number}.1" for number in (1, 2, 3)]
        self.servers = [Server(binary, ip, self.folder, ips, settings=settings) for ip in ips]
        self.keeps_folder = False

    def __enter__(self):
        for server in self.servers:
            server.start()
        return self

    def __exit__(self, *_):
        for server in self.servers:
            if server.is_running:
                server.resume()
                server.kill()
        if not self.keeps_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def leader(self):
        """The server that leads, by what the others say."""
        for server in self.servers:
            if server.is_running and not server.is_stopped:
                address = ask(server.ip, "/v1/status/leader")
                for other in self.servers:
                    if address and address.rsplit(":", 1)[0] == other.ip:
                        return other
        return None

    def wait_until_whole(self, seconds=30):
        """Until all servers vote and every one of them carries out a confirmed read; tells how long it took."""
        began = time.monotonic()
        missing = list(self.servers)
        while missing:
            server = missing[0]
            if not server.is_running:
                raise Violation(f"{server.name} ended by itself with {server.process.poll()}")
            configuration = ask(server.ip, "/v1/operator/raft/configuration") or {}
            voters = [s for s in configuration.get("Servers", []) if s["Voter"]]
            if len(voters) == len(self.servers) and ask(server.ip, "/v1/catalog/nodes?consistent") is not None:
                missing.pop(0)
                continue
            if time.monotonic() - began > seconds:
                raise Violation(f"{server.name} does not serve {seconds} s after everything was mended")
            time.sleep(0.05)
        return time.monotonic() - began

    def show_logs(self, characters=3000):
        for server in self.servers:
            with open(server.log, encoding="utf-8", errors="replace") as log:
                print(f"--- {server.name}\n{log.read()[-characters:]}")
