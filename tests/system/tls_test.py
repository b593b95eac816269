#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Everything over TLS with client certificates: real Flume's own HTTPS source and real mosquitto,
both of which ask the node for its certificate. Networks are cut, all parts are killed, server
certificates are expired, of another name, of another authority; the node's own files are replaced
while it runs. Each gets a clear alarm, renewed files are used from the next connection on, and at
the end nothing is missing on either side."""

import pathlib
import signal
import tempfile
import time

from certificates import PASSWORD, Authority, replace
from street import (
    SOURCE,
    Agent,
    Broker,
    Ingest,
    Proxy,
    check_clean,
    finish,
    four_lanes,
    free_port,
    need,
    terminate_on_alarm,
    wait_until,
)

UPLINKS = ("flume", "broker")
# Flume 1.11 checks the name of its clients too: it must be the address they come from.
CLIENT_NAMES = "IP:127.0.0.1"


class Receivers:
    """Flume and mosquitto over TLS, each behind a proxy that can be cut."""

    def __init__(self, folder):
        self.folder = folder
        self.authority = Authority(folder, "first")
        self.other_authority = Authority(folder, "second")
        self.certificate, self.key = folder / "server.pem", folder / "server.key"
        self.key_store = folder / "server.p12"
        self.identities = {
            "good": self.authority.sign("server", "DNS:localhost"),
            "expired": self.authority.sign("expired", "DNS:localhost", -1),
            "elsewhere": self.authority.sign("elsewhere", "DNS:elsewhere.example"),
            "moved": self.other_authority.sign("server", "DNS:localhost"),
        }
        self._become("good")
        self.ingest = self._flume()
        tls_port = free_port()
        self.broker = Broker(folder, self._broker_lines(tls_port))
        self.broker.start()
        self.proxies = [Proxy(self.ingest.flume_port), Proxy(tls_port)]

    def _become(self, name):
        self.identities[name].put(self.certificate, self.key)
        self.identities[name].put_key_store(self.key_store)

    def _flume(self):
        trust_store, settings = self.folder / "trust.p12", self.folder / "flume-tls.properties"
        self.authority.put_trust_store(trust_store)
        settings.write_text(
            "edge.sources.http.ssl = true\n"
            f"edge.sources.http.keystore = {self.key_store}\n"
            f"edge.sources.http.keystore-password = {PASSWORD}\n"
            "edge.sources.http.keystore-type = PKCS12\n"
            "edge.sources.http.SslContextFactory.needClientAuth = true\n"
        )
        trust = f"-Djavax.net.ssl.trustStore={trust_store}"
        ingest = Ingest(
            self.folder,
            INGEST_FLUME_EXTRA=str(settings),
            JAVA_TOOL_OPTIONS=f"{trust} -Djavax.net.ssl.trustStorePassword={PASSWORD}",
        )
        ingest.up()
        return ingest

    def _broker_lines(self, port):
        return (
            "autosave_on_changes true",
            "autosave_interval 1",
            f"listener {port} 127.0.0.1",
            f"cafile {self.authority.certificate}",
            f"certfile {self.certificate}",
            f"keyfile {self.key}",
            "require_certificate true",
        )

    def restart_as(self, name):
        """Both die and come back with another certificate."""
        self._become(name)
        self.broker.process.kill()
        self.ingest.signal("flume", signal.SIGKILL)
        self.broker.start()
        self.ingest.up()

    def cut(self):
        for proxy in self.proxies:
            proxy.cut()

    def heal(self):
        for proxy in self.proxies:
            proxy.heal()


class NodeFiles:
    """The three files of the node's configuration."""

    def __init__(self, folder, receivers):
        self.authority, self.stranger = receivers.authority, Authority(folder, "stranger")
        self.ca, self.certificate, self.key = (
            folder / name for name in ("node-ca.pem", "node.pem", "node.key")
        )
        self.trust(self.authority)
        self.be_known("first")

    def trust(self, authority):
        replace(authority.certificate, self.ca)

    def be_known(self, what):
        self.authority.sign(f"node-{what}", CLIENT_NAMES).put(self.certificate, self.key)

    def be_a_stranger(self):
        self.stranger.sign("node", CLIENT_NAMES).put(self.certificate, self.key)


def configuration(receivers, files):
    tls = {
        "ca_file": str(files.ca),
        "cert_file": str(files.certificate),
        "key_file": str(files.key),
    }
    flume, broker = (f"localhost:{proxy.port}" for proxy in receivers.proxies)
    return {
        "node": "sealed",
        "board": "sim",
        "drivers": {"e19": four_lanes()},
        "streams": {"traffic.vehicle": {"durability": "group 2000"}},
        "uplinks": {
            "flume": {"uplink": "http", "url": f"https://{flume}", **tls},
            "broker": {"uplink": "mqtt", "url": f"mqtts://{broker}", **tls},
        },
        "simulation": {"signals": str(SOURCE / "boards" / "sim" / "edges.csv.gz")},
    }


def restart(agent):
    """Anew: the backoff of one trouble must not outlast the trial of the next."""
    agent.process.kill()
    agent.start()


def certificate_alarms(agent, words=""):
    """By uplink, those whose text has the words."""
    alarms = (agent.status() or {}).get("alarms", {})
    found = {}
    for uplink in UPLINKS:
        text = alarms.get(f"uplink_certificate/{uplink}", {}).get("text", "")
        if text and words in text:
            found[uplink] = text
    return found


def cuts_and_kills(agent, receivers):
    wait_until("both take events", lambda: agent.delivered(20), 180)
    assert not certificate_alarms(agent), certificate_alarms(agent)
    receivers.cut()
    time.sleep(1)
    receivers.heal()
    restart(agent)
    receivers.restart_as("good")
    wait_until("both take events after kills and a cut", lambda: agent.delivered(20), 180)


def wrong_servers(agent, receivers):
    for name, words in (("expired", "expired"), ("elsewhere", "name"), ("moved", "issuer")):
        receivers.restart_as(name)
        restart(agent)
        alarms = wait_until(
            f"a server that is {name} is an alarm of both",
            lambda: (found := certificate_alarms(agent, words)) and len(found) == 2 and found,
            180,
        )
        print(f"  {name}: {alarms['flume']}\n           {alarms['broker']}", flush=True)
        for uplink in agent.status()["uplinks"].values():
            assert uplink["delivered"] == 0 and uplink["refused"] == 0, uplink


def renewed_authority(agent, receivers, files):
    """The node learns the new authority from its file, without a restart."""
    files.trust(receivers.other_authority)
    wait_until("the new authority is read", lambda: agent.delivered(1), 120)
    wait_until("the alarms end", lambda: not certificate_alarms(agent), 60)


def renewed_certificate(agent, receivers, files):
    """A certificate that the servers do not take is used from the next connection on, and so is the
    one that replaces it."""
    files.be_a_stranger()
    receivers.cut()
    receivers.heal()
    alarms = wait_until(
        "servers that refuse the node's certificate are an alarm",
        lambda: (found := certificate_alarms(agent)) and len(found) == 2 and found,
        120,
    )
    print(f"  stranger: {alarms['flume']}\n           {alarms['broker']}", flush=True)
    files.be_known("renewed")
    wait_until("the alarms end", lambda: not certificate_alarms(agent), 120)


def main():
    need("java", "mvn", "kcat", "curl", "mosquitto", "openssl", "keytool")
    terminate_on_alarm(600)
    with tempfile.TemporaryDirectory(prefix="berm-tls-") as folder:
        folder = pathlib.Path(folder)
        received = folder / "received.jsonl"
        receivers = agent = subscriber = None
        try:
            receivers = Receivers(folder)
            subscriber = receivers.broker.subscribe(received)
            files = NodeFiles(folder, receivers)
            agent = Agent(folder, configuration(receivers, files))
            agent.start()
            cuts_and_kills(agent, receivers)
            wrong_servers(agent, receivers)
            renewed_authority(agent, receivers, files)
            renewed_certificate(agent, receivers, files)
            finish(agent)
            kafka = check_clean("Kafka", receivers.ingest.settled_records(), 40)
            mqtt = check_clean("MQTT", received.read_text().splitlines(), 40)
            assert kafka == mqtt, (kafka, mqtt)
        finally:
            for process in (agent and agent.process, subscriber):
                if process is not None:
                    process.kill()
            if receivers is not None:
                receivers.broker.process.kill()
                receivers.ingest.down()
    print("clean")


main()
