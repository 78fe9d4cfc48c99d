#!/usr/bin/env python3
"""Ratios of the hot paths: Go benchmarks of both sides of each comparison, in one run on the same machine.

Seconds differ from machine to machine; these ratios should not. Each row names the bound that the engine is to keep.

    build/bench/ratios.py [--count 3] [--only durable,scan] [--floors] [--million]

--million judges an index of a million files instead, once. --floors also prints what this machine can do at best, which the side-by-side figures stand beside. The exit code is 1 when a
ratio is past its bound. Run it on a machine with nothing else to do. Needs Go and Python 3.11, no packages.
"""
import argparse, re, statistics, subprocess, sys
from collections import defaultdict

LINE = re.compile(r"^(Benchmark\S+?)(?:-\d+)?\s+\d+\s+(.*)$")

# name, package, benchmarks (regexp), function of the figures -> ratio, bound, what it says
RATIOS = [
    ("durable", "./sync/fsys", "BenchmarkDurableFiles",
     lambda f: f["BenchmarkDurableFiles/batch_of_500"]["ns/op"] / f["BenchmarkDurableFiles/500_by_four_writers"]["ns/op"],
     "<=", 0.5, "500 small files made durable as a batch, over fsync for each by four writers"),
    ("walk", "./sync/fsys", "BenchmarkWalk",
     lambda f: f["BenchmarkWalk/best"]["ns/op"] / f["BenchmarkWalk/os.Root,_ReadDir_and_Lstat"]["ns/op"],
     "<=", 0.5, "a walk by descriptors, over ReadDir and Lstat through os.Root"),
    ("rescan", "./sync/scan", "BenchmarkScan",
     lambda f: f["BenchmarkScan/unchanged"]["ns/op"] / f["BenchmarkScan/bare_walk"]["ns/op"],
     "<=", 2.0, "a scan that finds nothing new, over the bare walk of the same tree"),
    ("hash", "./sync/block", "BenchmarkHashFile",
     lambda f: f["BenchmarkHashFile/one_worker"]["ns/op"] / f["BenchmarkHashFile/all_cores"]["ns/op"] / CORES(f),
     ">=", 0.9, "hashing with all cores, over one worker times the cores"),
    ("served", "./sync/engine", "BenchmarkBlocks/(raw_stream|large_file)",
     lambda f: f["BenchmarkBlocks/large_file"]["MB/s"] / f["BenchmarkBlocks/raw_stream"]["MB/s"],
     ">=", 0.75, "blocks asked for and verified, over the raw stream"),
    ("pipeline", "./sync/engine", "BenchmarkBlocks/small_files",
     lambda f: f["BenchmarkBlocks/small_files,_256_in_flight"]["requests/s"] / f["BenchmarkBlocks/small_files,_one_in_flight"]["requests/s"],
     ">=", 5.0, "small files with 256 requests on their way, over one at a time"),
]

FLOORS = [
    ("raw QUIC stream", "BenchmarkBlocks/raw_stream", "MB/s"),
    ("SHA-256, all cores", "BenchmarkHashFile/all_cores", "MB/s"),
    ("SHA-256, one core", "BenchmarkHashFile/one_worker", "MB/s"),
    ("small files made durable by syncfs", "BenchmarkDurableFiles/batch_of_500", "files/s"),
    ("small files made durable by fsync, one by one", "BenchmarkDurableFiles/one_by_one", "files/s"),
    ("large file written past the page cache, durable", "BenchmarkLargeFile/direct", "MB/s"),
    ("large file written through the page cache, durable", "BenchmarkLargeFile/cached", "MB/s"),
    ("large file copied within the disk by the system, durable", "BenchmarkCopyFile", "MB/s"),
    ("bare walk", "BenchmarkWalk/best", "ns/entry"),
]

# benchmark, figure, bound, what it says: an index of a million files, a tenth of which is newer at another device
MILLION = [
    ("BenchmarkFirstScan", "rec/s", ">=", 60e3, "records a second of a first scan"),
    ("BenchmarkFirstRemoteIndex", "rec/s", ">=", 40e3, "records a second of another device's first index"),
    ("BenchmarkNeededPages", "rec/s", ">=", 200e3, "records a second of the list of what is needed"),
    ("BenchmarkRandomUpdates", "ns/op", "<=", 2e9, "ns for 10,000 updates here and there"),
    ("BenchmarkSincePages", "rec/s", ">=", 500e3, "records a second of what changed since"),
    ("BenchmarkLocalByName", "ns/op", "<=", 100e3, "ns for a record by its name"),
    ("BenchmarkDirectory", "ns/op", "<=", 500e3, "ns for a directory of twenty"),
    ("BenchmarkCounts", "ns/op", "<=", 100e3, "ns for all counts"),
    ("BenchmarkLocalByNameBesideUpdates", "p99-us", "<=", 10e3, "us for a record while batches are stored, 99th percentile"),
    ("BenchmarkOpen", "ns/op", "<=", 20e6, "ns to open it"),
    ("BenchmarkOpen", "MiB", "<=", 600e6 / 2**20, "MiB of disk"),
]


def CORES(figures):
    return figures["cores"]


def bench(package, pattern, count, *flags):
    """Runs benchmarks and gives the median of each figure of each."""
    anchored = "/".join(f"^{part}$" if not part.startswith("(") and "small_files" not in part else part for part in pattern.split("/"))
    argv = ["go", "test", "-run", "^$", "-bench", anchored, "-count", "1", "-timeout", "30m", package, *flags]
    lines = []
    for _ in range(count):
        # Files that were removed make new ones slow where ext4 has no journal: it leaves their inodes alone for one to five
        # minutes and looks at each when it makes a file. Use a disk with a journal (TMPDIR).
        out = subprocess.run(argv, stdout=subprocess.PIPE, text=True)
        if out.returncode != 0:
            sys.exit(f"{' '.join(argv)} failed:\n{out.stdout}")
        lines += out.stdout.splitlines()
    seen = defaultdict(lambda: defaultdict(list))
    cores = 1
    for line in lines:
        m = LINE.match(line)
        if not m:
            continue
        suffix = re.match(r"^\S+-(\d+)\s", line)
        cores = int(suffix.group(1)) if suffix else cores
        words = m.group(2).split()
        for value, unit in zip(words[::2], words[1::2]):
            seen[m.group(1)][unit].append(float(value))
    figures = {name: {unit: statistics.median(v) for unit, v in units.items()} for name, units in seen.items()}
    figures["cores"] = cores
    return figures


def million():
    broken, seen = [], {}
    for name, unit, sign, bound, what in MILLION:
        if name not in seen:
            counted = ["-benchtime=1000000x"] if name.startswith("BenchmarkFirst") else []
            seen[name] = bench("./sync/index", name, 1, *counted, "-files=1000000")[name]
        figure = seen[name][unit]
        good = figure <= bound if sign == "<=" else figure >= bound
        print(f"{figure:14,.0f} {sign} {bound:<13,.0f} {'ok' if good else 'NOT KEPT':9} {what}", flush=True)
        if not good:
            broken.append(what)
    if broken:
        sys.exit("not kept: " + ", ".join(broken))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--count", type=int, default=3, help="each benchmark this often; medians count")
    ap.add_argument("--only", help="comma-separated names: " + ", ".join(r[0] for r in RATIOS))
    ap.add_argument("--floors", action="store_true")
    ap.add_argument("--million", action="store_true")
    a = ap.parse_args()
    if a.million:
        return million()
    only = set(a.only.split(",")) if a.only else {r[0] for r in RATIOS}
    broken, all_figures = [], {}
    for name, package, pattern, ratio, sign, bound, what in RATIOS:
        if name not in only:
            continue
        figures = bench(package, pattern, a.count)
        all_figures.update(figures)
        r = ratio(figures)
        good = r <= bound if sign == "<=" else r >= bound
        print(f"{name:10} {r:6.2f} {sign} {bound:<5} {'ok' if good else 'NOT KEPT':9} {what}", flush=True)
        if not good:
            broken.append(name)
    if a.floors:
        all_figures.update(bench("./sync/fsys", "BenchmarkLargeFile", a.count))
        all_figures.update(bench("./sync/fsys", "BenchmarkCopyFile", a.count))
        print()
        for label, name, unit in FLOORS:
            if name in all_figures and unit in all_figures[name]:
                print(f"{label:52} {all_figures[name][unit]:12,.0f} {unit}")
    if broken:
        sys.exit("not kept: " + ", ".join(broken))


if __name__ == "__main__":
    main()
