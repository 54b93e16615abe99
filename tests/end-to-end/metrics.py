#!/usr/bin/python3
"""A strict reader of the Prometheus text format (exposition format 0.0.4) and of its naming conventions.

Usage: metrics.py check < TEXT               exit code 1, with the faults, if it is not well formed
       metrics.py get 'NAME{label="x"}' < TEXT   prints the sample's value
       metrics.py grown OLD < NEW            counters of OLD never fall in NEW"""
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf'({NAME})(?:\{{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\}})? (-?[0-9.]+(?:e[+-]?[0-9]+)?|[+-]Inf|NaN)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


def family_of(name, kinds):
    for suffix in ("_bucket", "_sum", "_count"):
        base = name.removesuffix(suffix)
        if base != name and kinds.get(base) == "histogram":
            return base
    return name


def read(text):
    faults, samples, kinds, helped, closed, current = [], {}, {}, set(), set(), None
    if not text.endswith("\n"):
        faults.append("the last line has no end")
    for number, line in enumerate(text.split("\n")[:-1], 1):
        def fault(what):
            faults.append(f"line {number}: {what}: {line[:100]}")
        if line.startswith("#"):
            match = re.fullmatch(rf"# (HELP|TYPE) ({NAME}) (\S.*)", line)
            if not match:
                fault("no comment of a known form")
                continue
            word, name, rest = match.groups()
            if name != current:
                if name in closed:
                    fault("a family stands twice")
                closed.add(name)
                current = name
            if word == "HELP" and name in helped or word == "TYPE" and name in kinds:
                fault("said twice")
            if word == "HELP":
                helped.add(name)
            elif rest not in ("counter", "gauge", "histogram"):
                fault("unknown type")
            else:
                kinds[name] = rest
                if (rest == "counter") != name.endswith("_total"):
                    fault("counters, and they alone, end in _total")
            continue
        match = SAMPLE.fullmatch(line)
        if not match:
            fault("no sample")
            continue
        name, labels, value = match.groups()
        pairs = LABEL.findall(labels or "")
        if family_of(name, kinds) != current or current not in helped or current not in kinds:
            fault("a sample outside its family")
        if len({key for key, _ in pairs}) != len(pairs):
            fault("a label stands twice")
        key = (name, tuple(sorted(pairs)))
        if key in samples:
            fault("a sample stands twice")
        samples[key] = float(value.replace("Inf", "inf"))
        if kinds.get(current) != "gauge" and samples[key] < 0:
            fault("below zero")
    for name, kind in kinds.items():
        if kind == "histogram":
            rows = [(dict(k[1])["le"], v) for k, v in samples.items() if k[0] == name + "_bucket"]
            bounds = [float(le.replace("Inf", "inf")) for le, _ in rows]
            if bounds != sorted(bounds) or not bounds or bounds[-1] != float("inf"):
                faults.append(f"{name}: buckets are not in order up to +Inf")
            if [v for _, v in rows] != sorted(v for _, v in rows) or rows[-1][1] != samples.get((name + "_count", ())):
                faults.append(f"{name}: buckets are not cumulative up to _count")
            if (name + "_sum", ()) not in samples:
                faults.append(f"{name}: no _sum")
    return samples, kinds, faults


def key_of(text):
    name, _, labels = text.partition("{")
    return name, tuple(sorted(LABEL.findall(labels)))


def main():
    samples, kinds, faults = read(sys.stdin.read())
    if sys.argv[1] == "get":
        value = samples.get(key_of(sys.argv[2]))
        print("absent" if value is None else int(value) if value == int(value) else value)
    elif sys.argv[1] == "grown":
        with open(sys.argv[2], encoding="utf-8") as old:
            before = read(old.read())[0]
        for key, value in before.items():
            if kinds.get(family_of(key[0], kinds)) != "gauge" and samples.get(key, -1) < value:
                faults.append(f"{key} fell from {value} to {samples.get(key)}")
    print("\n".join(faults), end="\n" if faults else "")
    sys.exit(bool(faults))


main()
