#!/usr/bin/env python3
"""What a device costs that has much to look after: memory and processor time at rest, and a scan of a million files.

    at_rest.py --lanyard build/bin/lanyard --syncthing syncthing                 # both parts
    at_rest.py --lanyard build/bin/lanyard --part million --files 1000000

Part "idle": two connected devices whose folder of --idle-files files is in sync; after a pause, resident memory and the processor
time of --window seconds, of the device that uses more; the same for Syncthing on the same files. Part "million": one device alone, a
first scan of --files files, then scans without changes: time, processor time, resident memory afterwards and at most.

Resident memory is VmRSS; anonymous memory (the program's own, without pages of its file) stands beside it. Processor time comes from
the scheduler's count in nanoseconds. Exits with 1 where a figure misses its bound. Needs Python 3.11, no packages.
"""
import argparse, contextlib, json, os, shutil, statistics, subprocess, sys, tempfile, time
from pathlib import Path
from side_by_side import Lanyard, Syncthing, wait_until

IDLE_MIB, IDLE_SHARE = 120, 0.001
MILLION_MIB, MILLION_SCAN_S = 300, 10


def make_files(root, files):
    """Files of some hundred bytes, 100 to a directory, each with a content of its own."""
    for i in range(files):
        d = root / f"d{i // 10000:03d}" / f"e{i // 100 % 100:02d}"
        if i % 100 == 0:
            d.mkdir(parents=True)
        fd = os.open(d / f"file {i:07d}.txt", os.O_CREAT | os.O_WRONLY, 0o644)
        os.write(fd, b"%d " % i * (i % 50 + 1))
        os.close(fd)


def memory(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    field = lambda name: int(next(line.split()[1] for line in text.splitlines() if line.startswith(name + ":"))) / 1024
    return dict(rss=field("VmRSS"), anon=field("RssAnon"), peak=field("VmHWM"))


def cpu(pid):
    """Seconds that the process's threads ran. What ended threads used is missing: Go keeps its threads."""
    total = 0
    for t in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError):
            total += int(Path(f"/proc/{pid}/task/{t}/schedstat").read_text().split()[0])
    return total / 1e9


def in_sync(pair, files):
    return all(s["state"] == "idle" and s["need"] == 0 and s["files"] == files for s in (pair.state(0), pair.state(1)))


def idle(pair, files, pause, window):
    began = time.monotonic()
    pair.start()
    wait_until(lambda: in_sync(pair, files), 3600, "in sync", 1)
    synced = time.monotonic() - began
    time.sleep(pause)
    pids = [p.p.pid for p in pair.procs]
    if isinstance(pair, Syncthing):  # it runs itself once more as a child
        pids = [p.pids()[-1] for p in pair.procs]
    before = [cpu(p) for p in pids]
    time.sleep(window)
    used = [cpu(p) - b for p, b in zip(pids, before)]
    held = [memory(p) for p in pids]
    return dict(files=files, in_sync_s=round(synced, 1), idle_rss_mib=round(max(m["rss"] for m in held), 1),
                idle_anon_mib=round(max(m["anon"] for m in held), 1), peak_mib=round(max(m["peak"] for m in held), 1),
                idle_cpu_ms=round(max(used) * 1e3, 1), window_s=window, share_of_core=round(max(used) / window, 6))


def part_idle(o, root):
    trees = [root / "tree a", root / "tree b"]
    trees[0].mkdir()
    make_files(trees[0], o.idle_files)
    subprocess.run(["cp", "-a", trees[0], trees[1]], check=True)
    rows = {}
    for name, make in dict(lanyard=lambda r: Lanyard(r, o.lanyard), syncthing=lambda r: Syncthing(r, o.syncthing)).items():
        if name == "syncthing" and not o.syncthing:
            continue
        pair = make(root / name)
        try:
            for tree, at in zip(trees, (pair.a, pair.b)):
                for own in at.glob(".st*"):  # the marker: made with the folder
                    shutil.move(own, tree)
                at.rmdir()
                tree.rename(at)
            rows[name] = idle(pair, o.idle_files, o.pause, o.window)
        finally:
            pair.stop()
            for tree, at in zip(trees, (pair.a, pair.b)):
                for own in at.glob(".st*"):
                    shutil.rmtree(own) if own.is_dir() else own.unlink()
                at.rename(tree)
        print(json.dumps(dict(part="idle", program=name, **rows[name])), flush=True)
    ours = rows["lanyard"]
    missed = []
    if ours["idle_rss_mib"] > IDLE_MIB:
        missed.append(f"{ours['idle_rss_mib']} MiB resident at rest, want at most {IDLE_MIB}")
    if ours["share_of_core"] > IDLE_SHARE:
        missed.append(f"{ours['share_of_core']:.3%} of a core at rest, want at most {IDLE_SHARE:.1%}")
    if "syncthing" in rows and ours["idle_cpu_ms"] > rows["syncthing"]["idle_cpu_ms"]:
        missed.append(f"{ours['idle_cpu_ms']} ms of processor time at rest, Syncthing {rows['syncthing']['idle_cpu_ms']} ms")
    return missed


def part_million(o, root):
    pair = Lanyard(root / "million", o.lanyard, solo=True)
    make_files(pair.a, o.files)
    try:
        began = time.monotonic()
        pair.start("A")
        pid = pair.procs[0].p.pid
        wait_until(lambda: (s := pair.state(0))["state"] == "idle" and s["files"] == o.files, 3600, "first scan", 0.5)
        row = dict(files=o.files, first_scan_s=round(time.monotonic() - began, 1), first_scan_cpu_s=round(cpu(pid), 1),
                   first_scan_peak_mib=round(memory(pid)["peak"], 1))
        walls, cpus = [], []
        for _ in range(3):
            c, t = cpu(pid), time.monotonic()
            pair.rescan(0)
            walls.append(time.monotonic() - t), cpus.append(cpu(pid) - c)
        row |= dict(scan_s=[round(w, 2) for w in walls], scan_cpu_s=[round(c, 2) for c in cpus])
        time.sleep(o.pause)
        held = memory(pid)
        row |= dict(rss_mib=round(held["rss"], 1), anon_mib=round(held["anon"], 1), peak_mib=round(held["peak"], 1))
    finally:
        pair.stop()
    row["index_mib"] = round(sum(f.stat().st_size for f in pair.homes[0].rglob("*") if f.is_file()) / 2**20, 1)
    print(json.dumps(dict(part="million", program="lanyard", **row)), flush=True)
    missed = []
    if row["peak_mib"] > MILLION_MIB:
        missed.append(f"{row['peak_mib']} MiB resident at most, want at most {MILLION_MIB}")
    if min(statistics.median(walls), statistics.median(cpus)) > MILLION_SCAN_S:
        missed.append(f"{statistics.median(walls):.1f} s for a scan, want at most {MILLION_SCAN_S}")
    return missed


def main():
    a = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    a.add_argument("--lanyard", required=True)
    a.add_argument("--syncthing")
    a.add_argument("--part", choices=["idle", "million", "all"], default="all")
    a.add_argument("--idle-files", type=int, default=200_000)
    a.add_argument("--files", type=int, default=1_000_000)
    a.add_argument("--pause", type=float, default=180, help="seconds of rest first: what follows the work, for a minute or two, is over")
    a.add_argument("--window", type=float, default=120, help="seconds of rest over which processor time is counted")
    a.add_argument("--dir", help="where the trees lie, on a real disk")
    o = a.parse_args()
    o.lanyard = os.path.abspath(o.lanyard)
    root = Path(tempfile.mkdtemp(prefix="at-rest-", dir=o.dir))
    missed = []
    try:
        if o.part != "million":
            missed += part_idle(o, root)
        if o.part != "idle":
            missed += part_million(o, root)
    finally:
        shutil.rmtree(root)
    for m in missed:
        print("missed:", m)
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
