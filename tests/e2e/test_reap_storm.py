#!/usr/bin/env python3
"""No healthy connection is ever reaped, however numbers change hands; CLOSEGUARD_TEST_OPERATIONS sets for how long."""

import os

import harness

OPERATIONS = int(os.environ.get("CLOSEGUARD_TEST_OPERATIONS", "1000000"))

POLICY = """version = 1;
mode = "enforce";
warn_after = "5ms";
interval = "10ms";
rules = ( { name = "all"; eof = { warn_after = "5ms"; reap_after = "5ms"; }; } );
"""


def test_reap_storm(t):
    if harness.SANITIZE == "tsan":
        raise harness.Skip("the program's threads race for numbers on purpose, which TSan takes for a mistake")
    policy = os.path.join(t.dir, "storm.cfg")
    with open(policy, "w", encoding="utf-8") as file:
        file.write(POLICY)
    app = t.start("prog_reap_storm", OPERATIONS, env={"CLOSEGUARD_POLICY": policy, "CLOSEGUARD_WARN_AFTER": None,
                                                      "CLOSEGUARD_INTERVAL": None})
    app.line("started")
    patience = harness.DEADLINE + OPERATIONS // 5000
    t.equal(int(app.line("touched", timeout=patience)), 0, "healthy connections that were touched")
    t.equal(app.number("cut"), 0, "connections shared with a child that were cut")
    if harness.BARE:
        return
    actions = [one for one in app.dump()["actions"] if one["action"] == "reap"]
    done = sum(one["total"] for one in actions if one["result"] == "done")
    refused = sum(one["total"] for one in actions if one["result"] == "refused" and one["reason"] == "shared")
    t.check(done >= 10, f"too few leaked ones were reaped for the test to say anything: {done} of {actions}")
    t.check(refused >= 8, f"those shared with the child were not refused: {actions}")


if __name__ == "__main__":
    harness.main(__name__)
