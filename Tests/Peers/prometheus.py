"""promtool understands the metrics page, and Prometheus collects it."""
import json
import subprocess
import urllib.parse

from agent import eventually, get, program

CONFIG = """
global:
  scrape_interval: 1s
scrape_configs:
- job_name: consul
  metrics_path: /v1/agent/metrics
  params: {{format: [prometheus]}}
  static_configs:
  - targets: ["{ip}:8500"]
"""


def run(agent):
    promtool = program("promtool", "Debian's package prometheus")
    binary = program("prometheus", "Debian's package prometheus")
    agent.put("/v1/kv/a", "b")
    agent.register("web", "web", "192.0.2.1", 80)
    status, page = get(f"{agent.url}/v1/agent/metrics?format=prometheus")
    assert status == 200, f"status {status} of the metrics page"
    check = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, text=True, check=False)
    # 3 is a matter of style: the reference's names do not follow it either.
    assert check.returncode in (0, 3), check.stderr
    agent.start([binary, "--config.file", agent.write("prometheus.yml", CONFIG.format(ip=agent.ip)),
                 "--storage.tsdb.path", f"{agent.folder}/data", "--web.listen-address", f"{agent.ip}:9090"])

    def value(expression):
        answer = get(f"http://{agent.ip}:9090/api/v1/query?" + urllib.parse.urlencode({"query": expression}))[1]
        result = json.loads(answer)["data"]["result"] if answer.startswith("{") else []
        return float(result[0]["value"][1]) if result else None

    eventually("the agent is up", lambda: value("up") == 1)
    eventually("the write was counted", lambda: (value("sum(consul_kvs_apply_count)") or 0) >= 1)
    eventually("the server leads", lambda: value("sum(consul_server_isLeader)") == 1, seconds=30)
    agent.put("/v1/kv/a", "c")
    eventually("another write counts", lambda: (value("sum(consul_kvs_apply_count)") or 0) >= 2)
