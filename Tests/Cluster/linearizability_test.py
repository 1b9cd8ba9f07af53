#!/usr/bin/env python3
"""The checker itself: histories that are known to be fine, or not, and many small ones against trying all orders."""
import itertools
import math
import random
import unittest

from linearizability import UNKNOWN, Operation, is_linearizable


def read(client, invoked, returned, result):
    return Operation(client, "read", invoked, returned, result=result)


def write(client, invoked, returned, value):
    return Operation(client, "write", invoked, returned, value)


def cas(client, invoked, returned, expected, value, result):
    return Operation(client, "cas", invoked, returned, value, expected, result)


GOOD = {
    "nothing": [],
    "one after the other": [write(1, 0, 1, "a"), read(2, 2, 3, "a"), write(1, 4, 5, "b"), read(2, 6, 7, "b")],
    "a read beside a write sees either": [write(1, 0, 10, "a"), read(2, 1, 2, None), read(2, 3, 4, "a")],
    "a write without an answer that took effect": [write(1, 0, math.inf, "a"), read(2, 1, 2, None), read(2, 3, 4, "a")],
    "a write without an answer that did not": [write(1, 0, math.inf, "a"), read(2, 1, 2, None), read(2, 8, 9, None)],
    "a write without an answer that took effect late":
        [write(1, 0, math.inf, "a"), write(2, 1, 2, "b"), read(2, 3, 4, "b"), read(2, 5, 6, "a")],
    "one of two that compare wins": [cas(1, 0, 5, None, "a", True), cas(2, 0, 5, None, "b", False), read(1, 6, 7, "a")],
    "a deletion": [write(1, 0, 1, "a"), Operation(1, "delete", 2, 3), read(2, 4, 5, None), cas(2, 6, 7, None, "b", True)],
    "a comparison of unknown outcome that won":
        [write(1, 0, 1, "a"), cas(2, 2, math.inf, "a", "b", UNKNOWN), cas(1, 3, 4, "a", "c", False), read(1, 5, 6, "b")],
    # The example of Wing and Gong's figure of a queue, told of a register: overlapping operations in no order of their ends.
    "answers overtake each other":
        [write(1, 0, 9, "a"), write(2, 1, 8, "b"), write(3, 2, 7, "c"), read(4, 3, 4, "b"), read(4, 5, 6, "a"),
         read(4, 10, 11, "c")],
}

BAD = {
    "a lost write": [write(1, 0, 1, "a"), read(2, 2, 3, None)],
    "an old value": [write(1, 0, 1, "a"), write(1, 2, 3, "b"), read(2, 4, 5, "a")],
    "a value that goes back": [write(1, 0, 10, "a"), read(2, 1, 2, "a"), read(3, 3, 4, None)],
    "a value out of nowhere": [write(1, 0, 1, "a"), read(2, 2, 3, "z")],
    "both of two that compare win": [cas(1, 0, 5, None, "a", True), cas(2, 0, 5, None, "b", True)],
    "a comparison that should have won": [write(1, 0, 1, "a"), cas(2, 2, 3, "a", "b", False)],
    "a write without an answer seen before it began": [read(2, 0, 1, "a"), write(1, 2, math.inf, "a")],
    "a write without an answer that comes and goes":
        [write(1, 0, math.inf, "a"), write(2, 1, 2, "b"), read(2, 3, 4, "a"), read(2, 5, 6, "b")],
    "two readers who disagree about the order":
        [write(1, 0, 9, "a"), write(2, 0, 9, "b"), read(3, 1, 2, "a"), read(4, 3, 4, "b"), read(3, 5, 6, "a")],
}


def explained(operations, initial=None):
    """The definition, word by word: some order of those that were answered and of any of the others."""
    answered = [o for o in operations if o.returned != math.inf]
    others = [o for o in operations if o.returned == math.inf]
    for count in range(len(others) + 1):
        for some in itertools.combinations(others, count):
            for order in itertools.permutations(answered + list(some)):
                if any(late.returned < early.invoked for early, late in itertools.combinations(order, 2)):
                    continue
                states = {initial}
                for operation in order:
                    states = {after for state in states for after in operation.after(state)}
                if states:
                    return True
    return False


def random_history(generator):
    operations = []
    for client in range(5):
        begin = generator.randrange(8)
        end = math.inf if generator.random() < 0.2 else begin + generator.randrange(6)
        kind = generator.choice(["read", "write", "cas", "delete"])
        value = generator.choice(["a", "b"])
        if kind == "read":
            operations.append(read(client, begin, end if end != math.inf else begin, generator.choice([None, "a", "b"])))
        elif kind == "write":
            operations.append(write(client, begin, end, value))
        elif kind == "delete":
            operations.append(Operation(client, "delete", begin, end))
        else:
            told = UNKNOWN if end == math.inf else generator.random() < 0.5
            operations.append(cas(client, begin, end, generator.choice([None, "a", "b"]), value, told))
    return operations


class LinearizabilityTests(unittest.TestCase):
    def test_good_histories(self):
        for name, history in GOOD.items():
            with self.subTest(name):
                self.assertTrue(is_linearizable(history))

    def test_bad_histories(self):
        for name, history in BAD.items():
            with self.subTest(name):
                self.assertFalse(is_linearizable(history))

    def test_agrees_with_the_definition(self):
        counts = {True: 0, False: 0}
        for seed in range(1500):
            history = random_history(random.Random(seed))
            expected = explained(history)
            counts[expected] += 1
            self.assertEqual(is_linearizable(history), expected, f"seed {seed}: " + "; ".join(map(str, history)))
        self.assertGreater(min(counts.values()), 100, "both kinds occur")

    def test_long_histories(self):
        generator, operations, state, now = random.Random(1), [], None, 0.0
        for number in range(3000):
            now += 1
            kind = generator.choice(["read", "write"])
            if kind == "read":
                operations.append(read(number % 9, now - generator.random() * 5, now + generator.random(), state))
            else:
                state = f"v{number}"
                operations.append(write(number % 9, now - generator.random() * 5, now + generator.random(), state))
        self.assertTrue(is_linearizable(operations))
        lost = next(o for o in reversed(operations) if o.kind == "read")
        lost.result = "never written"
        self.assertFalse(is_linearizable(operations))


if __name__ == "__main__":
    unittest.main()
