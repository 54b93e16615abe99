#!/bin/bash
# What is refused at a request's head, by a table of raw requests, over TCP and on the private socket.
base_port=20100
. "$(dirname "$0")/circle.bash"
found $states
start_all northland southland eastland
check "the node has a log" until_true 10 curl -sf "$(url northland /checkpoint)"
/usr/bin/python3 "$here/gate.py" "${port[northland]}" "$circle/northland/run/sock" || failures=$((failures + 1))
check "the node is still there" running northland
done_testing
