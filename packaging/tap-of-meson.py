"""The TAP lines of a meson test log, each with its test's name; a test that gave none, or died, counts as one failure."""
import json
import sys

for text in open(sys.argv[1], encoding="utf-8"):
    test = json.loads(text)
    lines = [l for l in test.get("stdout", "").splitlines() if l.startswith(("ok ", "not ok "))]
    bad = [l for l in lines if l.startswith("not ok ")]
    for line in lines:
        if line.startswith("not ok ") or "# SKIP" in line:
            print(line, "-", test["name"] + sys.argv[2])
        else:
            print("ok -", test["name"], line[3:])
    if bad:
        for line in test["stdout"].splitlines():
            if line.startswith("#"):
                print(line)
    if test["result"] in ("FAIL", "ERROR", "TIMEOUT", "INTERRUPT") and not bad:
        print(f"not ok - {test['name']}{sys.argv[2]}: {test['result']} (exit code {test['returncode']})")
        for line in (test.get("stdout", "") + test.get("stderr", "")).splitlines()[-20:]:
            print("#", line)
    elif not lines:
        ok = test["result"] == "OK"
        print("ok -" if ok else "not ok -", test["name"] + sys.argv[2])
