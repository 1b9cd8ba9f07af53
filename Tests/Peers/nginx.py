"""nginx resolves a name of the consul zone anew while it runs."""
from agent import eventually, get, program

CONFIG = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  resolver {ip}:8600 valid=1s ipv6=off;
  server {{
    listen {ip}:8080;
    set $upstream api.service.consul;
    location / {{
      proxy_connect_timeout 1s;
      proxy_pass http://$upstream:9000;
    }}
  }}
}}
"""


def run(agent):
    binary = program("nginx", "Debian's package nginx-light")
    prefix = agent.ip.rsplit(".", 1)[0]
    for number in (2, 3):
        agent.serve(f"{prefix}.{number}", 9000, f"instance {number}")
    agent.register("api", "api-2", f"{prefix}.2", 9000)
    config = agent.write("nginx.conf", CONFIG.format(ip=agent.ip, folder=agent.folder))
    agent.start([binary, "-c", config, "-p", agent.folder])

    def answer():
        return get(f"http://{agent.ip}:8080/")

    eventually("the instance serves", lambda: answer() == (200, "instance 2"))
    agent.register("api", "api-3", f"{prefix}.3", 9000)
    agent.deregister("api-2")
    eventually("the other instance took over", lambda: answer() == (200, "instance 3"))
    agent.deregister("api-3")
    eventually("a name without instances is not found", lambda: answer()[0] == 502)
    agent.register("api", "api-2", f"{prefix}.2", 9000)
    eventually("the name is there again", lambda: answer() == (200, "instance 2"))
