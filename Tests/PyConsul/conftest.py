"""Starts our agent where the suite's own conftest starts containers of the reference."""
import collections
import json
import os
import subprocess
import tempfile
import time
import uuid

import pytest
import requests

ConsulInstance = collections.namedtuple("ConsulInstance", ["container", "port", "version"])

# Some cases speak to this port, whatever the agent was told.
PORT = 8500


def start_agent(folder, port, management_token=None):
    config = {
        "ports": {"https": -1, "dns": -1, "grpc": -1, "grpc_tls": -1},
        "performance": {"raft_multiplier": 1},
        "enable_script_checks": True,
    }
    if management_token:
        config["primary_datacenter"] = "dc1"
        config["acl"] = {"enabled": True, "tokens": {"initial_management": management_token}}
    file = os.path.join(folder, "config.json")
    with open(file, "w", encoding="utf-8") as out:
        json.dump(config, out)
    with open(os.path.join(folder, "log"), "w", encoding="utf-8") as log:
        agent = subprocess.Popen(
            [
                os.environ["PROCONSUL"], "agent", "-dev", "-client=127.0.0.1", f"-http-port={port}",
                "-log-level=trace", f"-config-file={file}",
            ],
            stdout=log, stderr=log,
        )
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert agent.poll() is None, open(log.name, encoding="utf-8").read()
        try:
            headers = {"X-Consul-Token": management_token or ""}
            nodes = requests.get(f"http://127.0.0.1:{port}/v1/catalog/nodes", headers=headers, timeout=2)
            if nodes.status_code == 200 and nodes.json():
                return agent
        except requests.RequestException:
            pass
        time.sleep(0.02)
    agent.kill()
    raise TimeoutError(open(log.name, encoding="utf-8").read())


def run_agent(management_token=None):
    port = PORT
    with tempfile.TemporaryDirectory() as folder:
        agent = start_agent(folder, port, management_token)
        try:
            headers = {"X-Consul-Token": management_token or ""}
            version = requests.get(f"http://127.0.0.1:{port}/v1/agent/self", headers=headers, timeout=5)
            yield ConsulInstance(agent, port, version.json()["Config"]["Version"].strip())
        finally:
            agent.kill()
            agent.wait()


@pytest.fixture
def consul_instance():
    yield from run_agent()


@pytest.fixture
def acl_consul_instance():
    token = uuid.uuid4().hex
    for instance in run_agent(token):
        yield instance, token


@pytest.fixture
def consul_port(consul_instance):
    return consul_instance.port, consul_instance.version
