"""Runs Debian's `baremetal` command line client for a list of commands in one process: starting Python costs seconds.

Reads one JSON list of arguments a line, and answers each with one line {"code", "out", "err"}.
"""
import contextlib
import io
import json
import sys

import time

from ironicclient import shell

patience = time.sleep
time.sleep = lambda seconds: patience(min(seconds, 0.02))  # fake hardware is quicker than --wait asks

for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = shell.main(json.loads(line))
        except SystemExit as end:
            code = end.code
    print(json.dumps({"code": code or 0, "out": out.getvalue(), "err": err.getvalue()}), flush=True)
