"""Runs each command with one allocation after the other failing. memory.py LIBRARY PROGRAM CIRCLE ADVISORY MOST; prints TAP."""
import os
import re
import subprocess
import sys

library, program, circle, advisory, most = sys.argv[1:5] + [int(sys.argv[5])]
cards = [word for who in ("northland", "southland", "vendor") for word in ("--card", f"{circle}/{who}/card.note")]
made = f"{circle}/made"
verify = ["verify", "--charter", f"{circle}/circle.bundle", "--document", advisory, "--receipt"]
commands = {  # name: (arguments, standard input, what it writes)
    "card": (["card", f"{circle}/vendor/card.note"], None, None),
    "charter new": (["charter", "new", "--name", "Another circle", *cards, "--committee",
                     "northland.example,southland.example", "--out", made], None, made),
    "charter show": (["charter", "show", f"{circle}/charter.json"], None, None),
    "charter policy": (["-C", f"{circle}/vendor", "charter", "policy", "vendor.example"], None, None),
    "charter bundle": (["-C", f"{circle}/vendor", "charter", "bundle", "--out", made], None, made),
    "verify a tlog-proof": (verify + [f"{circle}/receipt.tlog-proof"], None, None),
    "verify a COSE receipt": (["--json"] + verify + [f"{circle}/receipt.cose"], None, None),
    "verify something else": (["--json"] + verify + [advisory], None, None),
    "audit the own database": (["-C", f"{circle}/vendor", "log", "verify", "--charter", f"{circle}/circle.bundle",
                                "--party", "vendor.example"], None, None),
    "check a recovery key": (["recovery", "check"], f"{circle}/words", None),
}


def run(arguments, given, extra):
    stdin = open(given, "rb") if given else subprocess.DEVNULL
    if os.path.exists(made):
        os.remove(made)
    done = subprocess.run([program, *arguments], stdin=stdin, capture_output=True, timeout=60,
                          env={**os.environ, "LD_PRELOAD": library, **extra})
    if given:
        stdin.close()
    return done


def plain(out):
    """What differs from run to run: durations, and the name of a circle that was made just now."""
    return re.sub(rb'took .*|"seconds":[0-9.]+|\b[0-9a-f]{64}\b|[0-9]{5}( [0-9]{5})+', b"", out)


def wrong(done, good, writes, number):
    said = done.stdout + done.stderr
    if done.returncode < 0:
        return f"signal {-done.returncode}"
    if done.returncode == 4 and good.returncode != 4:
        if b"memory is exhausted" not in said:
            return f"exit 4 without the memory error: {said[:200]!r}"
        if writes and os.path.exists(writes):
            return "it failed, and left what it had written"
        return None
    if done.returncode != good.returncode:
        return f"exit {done.returncode} instead of {good.returncode} or 4: {said[:200]!r}"
    if plain(done.stdout) != plain(good.stdout):
        return f"another answer: {done.stdout[:200]!r}"
    if writes and subprocess.run([program, "charter", "show", writes] if "new" in name else ["test", "-s", writes],
                                 capture_output=True).returncode != 0:
        return "what it wrote is not whole"
    return None


def chosen(count, start):
    """A few of the libraries' own start, which every command shares, and the command's own, all or evenly spread."""
    own = range(max(0, start - 8), count)
    step = max(1, -(-len(own) // most))
    return [*range(0, max(0, start - 8), max(1, start // 6)), *own[::step]]


def counted(arguments, given):
    done = run(arguments, given, {"INTERPOSE_COUNT": f"{circle}/count"})
    return done, int(open(f"{circle}/count").read())


failed = 0
start = counted(["recovery", "check"], "/dev/null")[1]
for test, (name, (arguments, given, writes)) in enumerate(commands.items(), 1):
    good, count = counted(arguments, given)
    tried = stopped = 0
    bad = [] if good.returncode in (0, 1) and count else [f"exit {good.returncode}, {count} allocations"]
    for number in chosen(count, start):
        done = run(arguments, given, {"INTERPOSE_ALLOCATION": str(number)})
        tried += 1
        stopped += done.returncode == 4
        what = wrong(done, good, writes, number)
        if what:
            bad.append(f"allocation {number}: {what}")
    for line in bad[:8]:
        print(f"# {line}")
    failed += bool(bad)
    print(f"{'not ok' if bad else 'ok'} {test} - {name}: {tried} of {count} allocations failed in turn, "
          f"{stopped} ended with the memory error, {tried - stopped} did without")
sys.exit(failed > 0)
