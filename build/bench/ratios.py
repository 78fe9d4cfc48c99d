#!/usr/bin/env python3
"""Ratios of the hot paths: Go benchmarks of both sides of each comparison, in one run on the same machine.

Seconds differ from machine to machine; these ratios should not. Each row names the bound that the engine is to keep.

    build/bench/ratios.py [--count 3] [--only durable,scan] [--floors]

--floors also prints what this machine can do at best, which the side-by-side figures stand beside. The exit code is 1 when a
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
    ("bare walk", "BenchmarkWalk/best", "ns/entry"),
]


def CORES(figures):
    return figures["cores"]


def bench(package, pattern, count):
    """Runs benchmarks and gives the median of each figure of each."""
    anchored = "/".join(f"^{part}$" if not part.startswith("(") and "small_files" not in part else part for part in pattern.split("/"))
    argv = ["go", "test", "-run", "^$", "-bench", anchored, "-count", "1", "-timeout", "30m", package]
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


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--count", type=int, default=3, help="each benchmark this often; medians count")
    ap.add_argument("--only", help="comma-separated names: " + ", ".join(r[0] for r in RATIOS))
    ap.add_argument("--floors", action="store_true")
    a = ap.parse_args()
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
        print()
        for label, name, unit in FLOORS:
            if name in all_figures and unit in all_figures[name]:
                print(f"{label:52} {all_figures[name][unit]:12,.0f} {unit}")
    if broken:
        sys.exit("not kept: " + ", ".join(broken))


if __name__ == "__main__":
    main()
