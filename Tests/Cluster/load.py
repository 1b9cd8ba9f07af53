"""What clients do with a cluster while its servers die: registers, a lock with a counter behind it, watches. Every client
writes down what it asked and what it was told; the checks at the end of a round read that."""
import base64
import json
import math
import random
import threading
import time

from cluster import Client, NoAnswer, Violation
from linearizability import UNKNOWN, Operation, is_linearizable

KEY_COUNT = 6


def is_refused(status, text):
    """Whether an answer says for certain that nothing was or will be done."""
    return status == 500 and b"No cluster leader" in text


class Worker(threading.Thread):
    """A client of one server, until it is told to end."""

    def __init__(self, load, server, name):
        super().__init__(daemon=True, name=name)
        self.load, self.client = load, Client(server.ip)
        self.random = random.Random(f"{load.seed} {name}")
        self.failure = None

    def run(self):
        try:
            while not self.load.is_over.is_set():
                try:
                    self.turn()
                except NoAnswer:
                    pass
                time.sleep(self.random.uniform(0.001, 0.004))
            self.finish()
        except Exception as error:  # Told to the round, which ends with it.
            self.failure = error
        finally:
            self.client.close()

    def finish(self):
        """What is left to do when the load ends."""

    def read(self, key):
        """Value, ModifyIndex, LockIndex and session of a key; the values are None for an absent key. The read is confirmed
        by a quorum; one that relies on the leader's lease has to be as good where no clock stops. Returns None where nothing
        could be learned."""
        relies_on_lease = self.load.trusts_leases and self.random.random() < 0.5
        status, text, _ = self.client.call("GET", f"/v1/kv/{key}" + ("" if relies_on_lease else "?consistent"))
        if status == 404:
            return None, 0, 0, None
        if status != 200:
            return None
        entry = json.loads(text)[0]
        value = base64.b64decode(entry["Value"] or "").decode()
        return value, entry["ModifyIndex"], entry["LockIndex"], entry.get("Session")


class RegisterWorker(Worker):
    """Reads, writes, compares and deletes a few keys. No value is written twice."""

    def turn(self):
        key = self.random.randrange(KEY_COUNT)
        choice = self.random.random()
        if choice < 0.35:
            self.observe(key)
        elif choice < 0.62:
            self.change(key, "write", self.load.unique())
        elif choice < 0.68:
            self.change(key, "delete")
        else:
            seen = self.observe(key)
            if seen:
                self.change(key, "cas", self.load.unique(), expected=seen[0], index=seen[1])

    def observe(self, key):
        operation = Operation(self.name, "read", time.monotonic())
        seen = self.read(self.load.key(key))
        if seen:
            operation.returned, operation.result = time.monotonic(), seen[0]
            operation.index = seen[1]
            self.load.histories[key].append(operation)
        return seen

    def change(self, key, kind, value=None, expected=None, index=None):
        operation = Operation(self.name, kind, time.monotonic(), value=value, expected=expected)
        path = "/v1/kv/" + self.load.key(key) + (f"?cas={index}" if kind == "cas" else "")
        try:
            status, text, _ = self.client.call("DELETE" if kind == "delete" else "PUT", path, value)
        except NoAnswer as error:
            if error.sent:
                self.load.histories[key].append(operation)
            raise
        if is_refused(status, text):
            return
        if status == 200:
            operation.returned = time.monotonic()
            done = text.strip() == b"true"
            if kind == "cas":
                operation.result = done
            elif not done:
                raise Violation(f"{operation}: answered {text}")
        self.load.histories[key].append(operation)


class LockWorker(Worker):
    """Takes a lock and, while it holds it, counts: read, add one, write. Only the lock keeps counts from being lost."""

    TTL = 5.0

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.session, self.renewed, self.asked = None, 0.0, 0.0

    def turn(self):
        if not self.session:
            return self.open_session()
        now = time.monotonic()
        if now - self.asked > self.TTL / 5:
            self.renew(now)
        status, text, _ = self.client.call("PUT", f"/v1/kv/{self.load.lock}?acquire={self.session}", self.name)
        if status == 500 and b"invalid session" in text:
            self.ended(now)
        if status != 200 or text.strip() != b"true":
            return time.sleep(0.02)
        seen = self.read(self.load.lock)
        if seen and seen[3] == self.session:
            for _ in range(self.random.randint(1, 4)):
                self.count(seen[2])
        self.client.call("PUT", f"/v1/kv/{self.load.lock}?release={self.session}")
        time.sleep(self.random.uniform(0, 0.02))

    def open_session(self):
        body = {"TTL": f"{self.TTL:.0f}s", "LockDelay": "0s", "Behavior": "release", "NodeChecks": []}
        began = time.monotonic()
        status, text, _ = self.client.call("PUT", "/v1/session/create", json.dumps(body))
        if status == 200:
            self.session, self.renewed, self.asked = json.loads(text)["ID"], began, began

    def renew(self, now):
        status, _, _ = self.client.call("PUT", f"/v1/session/renew/{self.session}")
        if status == 200:
            self.renewed = self.asked = now
        elif status == 404:
            self.ended(now)

    def ended(self, now):
        """The session is gone. That is right only if it was not renewed for its TTL."""
        session, self.session = self.session, None
        if now - self.renewed < self.TTL:
            raise Violation(f"session {session} ended {now - self.renewed:.2f} s after it was renewed, its TTL is {self.TTL} s")

    def count(self, lock_index):
        seen = self.read(self.load.counter)
        if not seen:
            return
        number = int(seen[0].split()[0]) if seen[0] else 0
        value = base64.b64encode(f"{number + 1} {lock_index}".encode()).decode()
        check = {"KV": {"Verb": "check-session", "Key": self.load.lock, "Session": self.session}}
        write = {"KV": {"Verb": "set", "Key": self.load.counter, "Value": value}}
        invoked = time.monotonic()
        with self.load.guard:
            self.load.counts_tried += 1
        try:
            status, text, _ = self.client.call("PUT", "/v1/txn", json.dumps([check, write]))
        except NoAnswer as error:
            if not error.sent:
                with self.load.guard:
                    self.load.counts_tried -= 1
            raise
        if status == 200:
            index = json.loads(text)["Results"][1]["KV"]["ModifyIndex"]
            self.load.holds.append((index, lock_index, self.session, invoked, time.monotonic()))
        elif is_refused(status, text) or status == 409:
            with self.load.guard:
                self.load.counts_tried -= 1


class Watcher(Worker):
    """Waits for changes of a key. Its queries may wait far longer than a round takes, so nobody's time-out replaces a
    wake-up that was lost."""

    def __init__(self, load, server, name, key):
        super().__init__(load, server, name)
        self.key, self.index, self.value = key, 0, None

    def turn(self):
        path = f"/v1/kv/{self.load.key(self.key)}?wait=120s&index={self.index}"
        status, text, index = self.client.call("GET", path, timeout=self.load.patience)
        if status not in (200, 404):
            return
        # A leader that was stopped may answer once more with what it knew; whoever sees the index go back starts over.
        self.index = index if index >= self.index else 0
        self.value = base64.b64decode(json.loads(text)[0]["Value"] or "").decode() if status == 200 else None

    def finish(self):
        """Sees the last change, too."""
        deadline = time.monotonic() + 15
        while not self.load.has_final.wait(0.1):
            if self.load.is_abandoned.is_set():
                return
        value, _ = self.load.final[self.key]
        while self.value != value:
            if time.monotonic() > deadline:
                raise Violation(f"{self.name} waits at index {self.index} with {self.value}, but the key is {value}")
            self.client.timeout = 2.0
            try:
                self.load.patience = 5.0
                self.turn()
            except NoAnswer:
                pass


class Load:
    """All clients of one round, on keys of this round."""

    def __init__(self, cluster, seed, number, trusts_leases):
        self.trusts_leases = trusts_leases
        self.cluster, self.seed, self.prefix = cluster, f"{seed}/{number}", f"round/{number}"
        self.is_over, self.has_final, self.is_abandoned = threading.Event(), threading.Event(), threading.Event()
        self.guard, self.written = threading.Lock(), 0
        self.histories = [[] for _ in range(KEY_COUNT)]
        self.final, self.patience = {}, 8.0
        self.lock, self.counter = f"{self.prefix}/lock", f"{self.prefix}/counter"
        self.counts_tried, self.holds = 0, []
        self.workers = []
        for place, server in enumerate(cluster.servers):
            self.workers += [RegisterWorker(self, server, f"register-{place}-{n}") for n in range(2)]
            self.workers += [LockWorker(self, server, f"lock-{place}"), Watcher(self, server, f"watch-{place}", place)]

    def key(self, number):
        return f"{self.prefix}/{number}"

    def unique(self):
        with self.guard:
            self.written += 1
            return f"{self.prefix} {self.written}"

    def start(self):
        for worker in self.workers:
            worker.start()

    def finish(self):
        """Ends the load on a cluster that is whole, looks at what it left behind and checks everything."""
        self.is_over.set()
        for worker in self.workers:
            if not isinstance(worker, Watcher):
                worker.join()
        for key in range(KEY_COUNT):
            self.write_finally(key)
        self.final = {key: self.read_finally(self.key(key)) for key in range(KEY_COUNT)}
        self.has_final.set()
        for worker in self.workers:
            worker.join()
            if worker.failure:
                raise worker.failure
        self.check()

    def abandon(self):
        self.is_abandoned.set()
        self.is_over.set()

    def write_finally(self, key):
        """One more change, which those who watch have to see."""
        client = Client(self.cluster.servers[key % len(self.cluster.servers)].ip, 10.0)
        operation = Operation("at the end", "write", time.monotonic(), value=self.unique())
        try:
            status, text, _ = client.call("PUT", f"/v1/kv/{self.key(key)}", operation.value)
        except NoAnswer:
            raise Violation("a write after the round is not answered") from None
        finally:
            client.close()
        if status != 200:
            raise Violation(f"a write after the round is answered {status} {text}")
        operation.returned = time.monotonic()
        self.histories[key].append(operation)

    def read_finally(self, key):
        """Value and ModifyIndex, by a confirmed read through each server; all have to say the same."""
        seen = set()
        for server in self.cluster.servers:
            client = Client(server.ip, 10.0)
            try:
                status, text, _ = client.call("GET", f"/v1/kv/{key}?consistent")
            except NoAnswer:
                raise Violation(f"{server.name} does not answer after the round") from None
            finally:
                client.close()
            if status not in (200, 404):
                raise Violation(f"{server.name} answers {status} {text} after the round")
            entry = json.loads(text)[0] if status == 200 else None
            seen.add((base64.b64decode(entry["Value"] or "").decode(), entry["ModifyIndex"]) if entry else (None, 0))
        if len(seen) != 1:
            raise Violation(f"the servers differ about {key}: {seen}")
        return seen.pop()

    def check(self):
        for key, history in enumerate(self.histories):
            self.check_register(key, self.final[key])
        self.check_lock()

    def check_register(self, key, final):
        """The history of a key, with a last read of `final`: what was acknowledged is there, and everything fits together."""
        now = time.monotonic()
        last = Operation("at the end", "read", now, now, result=final[0])
        last.index = final[1]
        history = self.histories[key] + [last]
        indexes = {}
        for operation in history:
            if operation.kind == "read" and operation.result is not None:
                if indexes.setdefault(operation.result, operation.index) != operation.index:
                    raise Violation(f"{self.key(key)}: {operation.result} has two ModifyIndexes")
        if not is_linearizable(history):
            told = "\n".join(str(operation) for operation in sorted(history, key=lambda o: o.invoked))
            raise Violation(f"the history of {self.key(key)} is not linearizable:\n{told}")

    def check_lock(self):
        """Counts were made by one holder at a time, in the order in which the lock was taken, and none is lost."""
        holders = {}
        highest = 0
        for index, lock_index, session, *_ in sorted(self.holds):
            if holders.setdefault(lock_index, session) != session:
                raise Violation(f"lock index {lock_index} was held by {session} and {holders[lock_index]}")
            if lock_index < highest:
                raise Violation(f"the holder of lock index {lock_index} wrote at {index}, after that of {highest}")
            highest = lock_index
        latest = 0
        for index, _, _, invoked, _ in sorted(self.holds, key=lambda hold: hold[3]):
            earlier = max((i for i, _, _, _, returned in self.holds if returned < invoked), default=0)
            latest = max(latest, earlier)
            if index <= latest:
                raise Violation(f"ModifyIndex {index} was given out after {latest} had been answered")
        value, _ = self.read_finally(self.counter)
        count = int(value.split()[0]) if value else 0
        if not len(self.holds) <= count <= self.counts_tried:
            raise Violation(f"{len(self.holds)} of {self.counts_tried} counts were acknowledged, but the counter is {count}")

    def figures(self):
        operations = [operation for history in self.histories for operation in history]
        unanswered = sum(operation.returned == math.inf for operation in operations)
        return len(operations), unanswered, len(self.holds)
