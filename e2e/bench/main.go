// Command bench measures what svcconn claims of its speed and size, and prints it as
// ratios to an empty Go program and to peers, all taken in turns in the same run:
// machines are shared and noisy, ratios less so.
//
//	make bench
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
)

func main() {
	bin := flag.String("bin", "bin", "the folder of the three binaries")
	runs := flag.Int("runs", 200, "how often each command is timed")
	only := flag.String("only", "", "the one part to run, rather than all")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *bin, *only, *runs); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, bin, only string, runs int) error {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	w, err := newWorld(bin)
	if err != nil {
		return err
	}
	defer w.close()
	fmt.Printf("svcconn bench: %s, %s/%s, %d CPUs, %d runs of each command in turns\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runs)
	done := false
	for _, part := range parts {
		if only != "" && only != part.name {
			continue
		}
		for _, measure := range part.measures {
			if err := measure(ctx, w, runs); err != nil {
				return err
			}
		}
		done = true
	}
	if !done {
		return fmt.Errorf("there is no part %q", only)
	}
	return nil
}

type measure func(ctx context.Context, w *world, runs int) error

// parts are what is measured, in turn; each stands alone.
var parts = []struct {
	name     string
	measures []measure
}{
	{"sizes", []measure{sizes}},
	{"docker", []measure{warmGet, stampede}},
	{"kubectl", []measure{warmKubectl, kubectlStampede}},
	{"aws", []measure{aws}},
	{"gcp", []measure{gcp}},
	{"memory", []measure{memory}},
	{"many", []measure{manyConnectors}},
}

// report prints one figure beside what it should be.
func report(what string, format string, value any, aim string) {
	fmt.Printf("%-64s %12s   %s\n", what, fmt.Sprintf(format, value), aim)
}
