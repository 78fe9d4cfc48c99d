#!/usr/bin/env python3
"""Where the time goes: a scenario of side_by_side.py with Lanyard alone, and what its two processes do with the processor while
the clock runs.

    build/bench/profiles.py --scenario edit-middle --scale 0.25 [--lines 40] [--keep DIR]

Device A has the change, device B gets it; in rescan there is one, which is started anew after the scan. A scenario without a clock (latency) counts from the start of
the processes to their end. What is printed is `go tool pprof -top -cum` of each; --keep leaves the profiles and the program
there for a closer look. The program is the same but for one file that `go build -overlay` adds.
"""
import argparse, contextlib, json, os, shutil, signal, subprocess, sys, tempfile
from pathlib import Path

import side_by_side as bench

ROOT = Path(__file__).resolve().parents[2]
CLOCK = bench.Meter


def tell(pair, sig):
    for p in pair.procs:
        with contextlib.suppress(ProcessLookupError):
            os.kill(p.p.pid, sig)


class Profiled(CLOCK):
    """The clock of a scenario, which the profiles begin and end with."""

    def __enter__(self):
        tell(self.pair, signal.SIGUSR1)
        return super().__enter__()

    def __exit__(self, *exc):
        super().__exit__(*exc)
        finish(self.pair)


def finish(pair):
    """Ends the profiles of the processes that still write one, and waits until they are whole."""
    for p in pair.procs:
        whole = Path(os.environ["LANYARD_PROFILES"], f"{p.p.pid}.pprof.done")
        if not whole.exists():
            with contextlib.suppress(ProcessLookupError):
                os.kill(p.p.pid, signal.SIGUSR2)
                bench.wait_until(whole.exists, 10, "profile")


def build(out):
    added = str(ROOT / "cmd/lanyard/profiled.go")
    (out / "overlay.json").write_text(json.dumps({"Replace": {added: str(ROOT / "build/bench/testdata/profiled.go")}}))
    subprocess.run(["go", "build", "-overlay", str(out / "overlay.json"), "-o", str(out / "lanyard"), "./cmd/lanyard"],
                   check=True, cwd=ROOT, env={**os.environ, "CGO_ENABLED": "0"})
    return str(out / "lanyard")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--scenario", default="all", help="comma-separated, or all: " + ", ".join(bench.SCENARIOS))
    ap.add_argument("--scale", type=float, default=0.25)
    ap.add_argument("--lines", type=int, default=40, help="of each profile")
    ap.add_argument("--dir", default=None, help="where the trees live")
    ap.add_argument("--keep", help="a folder for profiles and program")
    a = ap.parse_args()
    out = Path(a.keep or tempfile.mkdtemp(prefix="profiles-")).resolve()
    out.mkdir(parents=True, exist_ok=True)
    bench.Meter = Profiled
    binary = build(out)
    for name in list(bench.SCENARIOS) if a.scenario == "all" else a.scenario.split(","):
        profiles = out / name
        profiles.mkdir()
        os.environ["LANYARD_PROFILES"] = str(profiles)
        root = tempfile.mkdtemp(prefix="sbs-", dir=a.dir)
        pair = bench.Lanyard(root, binary, solo=name == "rescan", brake=name == "rename")
        try:
            row = bench.SCENARIOS[name](pair, a.scale)
            finish(pair)
        finally:
            pair.stop()
            shutil.rmtree(root, ignore_errors=True)
        print(f"\n=== {name}: " + "  ".join(f"{k}={v}" for k, v in row.items()), flush=True)
        whole = sorted(profiles.glob("*.done"), key=lambda p: int(p.name.split(".")[0]))
        for who, profile in zip(("scan", "restart") if name == "rescan" else ("A", "B"), whole):
            print(f"--- {who}", flush=True)
            subprocess.run(["go", "tool", "pprof", "-top", "-cum", f"-nodecount={a.lines}", binary, str(profile)], check=True,
                           stderr=subprocess.DEVNULL)
    if not a.keep:
        shutil.rmtree(out)


if __name__ == "__main__":
    sys.exit(main())
