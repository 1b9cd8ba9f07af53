"""Whether what clients saw of a key can be explained by a register that does one thing at a time.

The search is Wing and Gong's ("Testing and Verifying Concurrent Objects", 1993) with Lowe's memory of configurations that
led nowhere ("Testing for Linearizability", 2017): take any operation that began before all others ended, do it, go on; go
back when nothing fits.
"""
import dataclasses
import math

# The outcome of a compare-and-set, or the effect of a write, that nobody was told.
UNKNOWN = object()


@dataclasses.dataclass
class Operation:
    """What one client asked, and what it was told."""
    client: object
    # read, write, delete or cas
    kind: str
    invoked: float
    # Infinite if no answer came: it may take effect at any later time, or never.
    returned: float = math.inf
    # What is written, or None.
    value: object = None
    # What a compare-and-set expects, or None for an absent key.
    expected: object = None
    # What a read saw, or whether a compare-and-set did it.
    result: object = UNKNOWN

    def after(self, state):
        """The states in which the register may be afterwards; none if the answer does not fit `state`."""
        if self.kind == "read":
            return [state] if self.result is UNKNOWN or self.result == state else []
        if self.kind in ("write", "delete"):
            return [self.value]
        fits = state == self.expected
        if self.result is UNKNOWN or self.result == fits:
            return [self.value if fits else state]
        return []

    def __str__(self):
        end = "no answer" if self.returned == math.inf else f"{self.returned:.4f}"
        told = "?" if self.result is UNKNOWN else self.result
        return f"{self.invoked:.4f} … {end} {self.client}: {self.kind} {self.expected} -> {self.value}: {told}"


class _Event:
    """The beginning or the end of an operation, in a list that can be taken apart and put together again."""
    __slots__ = ("operation", "number", "end", "before", "next")

    def __init__(self, operation, number, end):
        self.operation, self.number, self.end = operation, number, end
        self.before = self.next = None

    def lift(self):
        for event in (self, self.end):
            event.before.next = event.next
            if event.next:
                event.next.before = event.before

    def unlift(self):
        for event in (self.end, self):
            event.before.next = event
            if event.next:
                event.next.before = event


def _events(operations):
    """The head of the list of events in the order of time. What began at the moment of an end overlaps with it."""
    events = []
    for number, operation in enumerate(operations):
        end = _Event(operation, number, None)
        events.append((operation.invoked, 0, number, _Event(operation, number, end)))
        events.append((operation.returned, 1, number, end))
    events.sort(key=lambda event: event[:3])
    last = head = _Event(None, -1, None)
    for *_, event in events:
        last.next, event.before = event, last
        last = event
    return head


def is_linearizable(operations, initial=None):
    """Whether there is an order that explains all answers and keeps what came after one another in that order."""
    operations = [o for o in operations if not (o.kind == "read" and o.result is UNKNOWN)]
    answered = sum(operation.returned != math.inf for operation in operations)
    head = _events(operations)
    state, done, missing, seen, taken = initial, 0, answered, set(), []
    event = head.next
    while missing:
        if event.end:
            for after in event.operation.after(state):
                configuration = (done | 1 << event.number, after)
                if configuration in seen:
                    continue
                seen.add(configuration)
                taken.append((event, state))
                done, state = configuration
                missing -= event.operation.returned != math.inf
                event.lift()
                event = head.next
                break
            else:
                event = event.next
        else:
            # The end of an operation that did not fit anywhere before.
            if not taken:
                return False
            event, state = taken.pop()
            done &= ~(1 << event.number)
            missing += event.operation.returned != math.inf
            event.unlift()
            event = event.next
    return True
