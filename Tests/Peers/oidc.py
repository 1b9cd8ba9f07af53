"""Somebody logs in with a browser at an OpenID provider, and with the command line only."""
import json
import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from agent import eventually, get, program

MANAGEMENT = "e8a1c0de-5eed-4a11-9b00-0000000000a1"
AGENT = {"acl": {"enabled": True, "tokens": {"initial_management": MANAGEMENT}}}
PORT = 29500

# Stands for the browser: opens the page of the provider, says who somebody is, and goes where it is sent.
BROWSER = """#!/usr/bin/env python3
import sys, urllib.parse, urllib.request
form = urllib.parse.urlencode({"sub": "alice"}).encode()
urllib.request.urlopen(urllib.request.Request(sys.argv[1], data=form, method="POST"), timeout=20).read()
"""


def call(agent, method, path, value=None, token=MANAGEMENT):
    request = urllib.request.Request(agent.url + path, method=method, headers={"X-Consul-Token": token},
                                     data=None if value is None else json.dumps(value).encode())
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def run(agent):
    provider = program("oidc-provider-mock", ".ci/install-python-peers")
    agent.start([provider, "--host", agent.ip, "--port", str(PORT), "--user-claims",
                 json.dumps({"sub": "alice", "groups": ["eng"]})])
    issuer = f"http://{agent.ip}:{PORT}"
    eventually("the provider answers", lambda: get(f"{issuer}/.well-known/openid-configuration")[0] == 200, seconds=30)
    listener = f"{agent.ip}:8550"
    redirect = f"http://{listener}/oidc/callback"
    status, text = call(agent, "PUT", "/v1/acl/auth-method", {
        "Name": "company", "Type": "oidc", "MaxTokenTTL": "5m",
        "Config": {"OIDCDiscoveryURL": issuer, "OIDCClientID": "consul", "OIDCClientSecret": "hush",
                   "AllowedRedirectURIs": [redirect], "ClaimMappings": {"sub": "user"}, "ListClaimMappings": {"groups": "groups"}}})
    assert status == 200, text
    status, text = call(agent, "PUT", "/v1/acl/binding-rule", {
        "AuthMethod": "company", "BindType": "service", "BindName": "desk-${value.user}", "Selector": "eng in list.groups"})
    assert status == 200, text

    browser = agent.write("browser", BROWSER)
    os.chmod(browser, 0o700)
    sink = os.path.join(agent.folder, "token")
    login = subprocess.run(
        [agent.binary, "login", "-method=company", "-type=oidc", f"-token-sink-file={sink}", "-meta", "host=laptop",
         f"-oidc-callback-listen-addr={listener}"],
        env={**os.environ, "BROWSER": browser, "CONSUL_HTTP_ADDR": agent.url}, capture_output=True, text=True, timeout=60, check=False)
    assert login.returncode == 0, login.stderr
    assert os.stat(sink).st_mode & 0o777 == 0o600
    with open(sink, encoding="utf-8") as file:
        secret = file.read()
    status, token = call(agent, "GET", "/v1/acl/token/self", token=secret)
    assert status == 200, token
    assert token["ServiceIdentities"] == [{"ServiceName": "desk-alice"}], token
    assert token["AuthMethod"] == "company" and token["Local"] and "ExpirationTime" in token, token
    assert token["Description"].endswith('{"host":"laptop"}'), token
    status, _ = call(agent, "POST", "/v1/acl/logout", token=secret)
    assert status == 200
    assert call(agent, "GET", "/v1/acl/token/self", token=secret)[0] == 403

    # Nobody is sent elsewhere, and nobody can come back with what was not begun here.
    begin = {"AuthMethod": "company", "RedirectURI": "http://evil.example/", "ClientNonce": "n"}
    status, text = call(agent, "POST", "/v1/acl/oidc/auth-url", begin, token="")
    assert status == 500 and "unauthorized redirect_uri" in text, text
    status, text = call(agent, "POST", "/v1/acl/oidc/auth-url", {**begin, "RedirectURI": redirect}, token="")
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(text["AuthURL"]).query)
    assert query["client_id"] == ["consul"] and query["code_challenge_method"] == ["S256"], text
    for change in ({"ClientNonce": "other"}, {"State": "st_other"}):
        back = {"AuthMethod": "company", "State": query["state"][0], "Code": "c", "ClientNonce": "n", **change}
        status, text = call(agent, "POST", "/v1/acl/oidc/callback", back, token="")
        assert status == 500, text
