// Only in a program that build/bench/profiles.py makes: the sources of Lanyard
// hold no switch for profiles.

package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"syscall"
)

// A process writes what it does with its processor time from its start, or from
// the last SIGUSR1, until SIGUSR2, into the folder that LANYARD_PROFILES names.
func init() {
	dir := os.Getenv("LANYARD_PROFILES")
	if dir == "" || len(os.Args) < 4 || os.Args[3] != "serve" {
		return
	}
	begin := func() *os.File {
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%d.pprof", os.Getpid())))
		if err != nil {
			panic(err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			panic(err)
		}
		return f
	}
	end := func(f *os.File) {
		pprof.StopCPUProfile()
		if err := f.Close(); err != nil {
			panic(err)
		}
	}
	said := make(chan os.Signal, 2)
	signal.Notify(said, syscall.SIGUSR1, syscall.SIGUSR2)
	f := begin()
	go func() {
		for s := range said {
			end(f)
			if s == syscall.SIGUSR2 {
				if err := os.Rename(f.Name(), f.Name()+".done"); err != nil {
					panic(err)
				}
				return
			}
			f = begin()
		}
	}()
}
