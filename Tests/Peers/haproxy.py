"""HAProxy fills a server template from SRV records, and follows instances that come, fail and go."""
from agent import eventually, get, program

CONFIG = """
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
resolvers consul
  nameserver agent {ip}:8600
  accepted_payload_size 8192
  resolve_retries 3
  timeout resolve 200ms
  timeout retry 200ms
  hold valid 200ms
  hold nx 200ms
  hold obsolete 200ms
frontend in
  bind {ip}:8080
  default_backend web
backend web
  balance roundrobin
  server-template web 4 _web._tcp.service.consul resolvers consul resolve-prefer ipv4 init-addr none
"""


def run(agent):
    binary = program("haproxy", "Debian's package haproxy")
    prefix = agent.ip.rsplit(".", 1)[0]
    for number in (2, 3, 4):
        agent.serve(f"{prefix}.{number}", 9000 + number, f"instance {number}")

    def register(number):
        agent.register("web", f"web-{number}", f"{prefix}.{number}", 9000 + number,
                       Check={"TTL": "1h", "Status": "passing", "CheckID": f"check-{number}"})

    register(2)
    register(3)
    agent.start([binary, "-db", "-f", agent.write("haproxy.cfg", CONFIG.format(ip=agent.ip))])

    def answers():
        return {get(f"http://{agent.ip}:8080/") for _ in range(8)}

    def serves(*numbers):
        wanted = {(200, f"instance {number}") for number in numbers}
        return lambda: answers() == wanted

    eventually("both instances serve", serves(2, 3))
    register(4)
    eventually("a new instance serves", serves(2, 3, 4))
    agent.put("/v1/agent/check/fail/check-3")
    eventually("an instance that fails does not serve", serves(2, 4))
    agent.put("/v1/agent/check/pass/check-3")
    eventually("an instance that is well again serves", serves(2, 3, 4))
    agent.deregister("web-2")
    agent.deregister("web-3")
    eventually("instances that are gone do not serve", serves(4))
    agent.deregister("web-4")
    eventually("without instances nothing is served", lambda: {status for status, _ in answers()} == {503})
