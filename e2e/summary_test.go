//go:build e2e && linux

package e2e

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// outcome is a row of the table that is printed when all tests have ended.
type outcome struct {
	name, result, shows string
	took                time.Duration
}

var outcomes struct {
	sync.Mutex
	rows []outcome
}

// report puts the test into the table, with one line on what it shows.
func report(t *testing.T, shows string) {
	t.Helper()
	start := time.Now()
	t.Cleanup(func() {
		row := outcome{name: t.Name(), result: resultOf(t), shows: shows, took: time.Since(start)}
		outcomes.Lock()
		defer outcomes.Unlock()
		outcomes.rows = append(outcomes.rows, row)
	})
}

func resultOf(t *testing.T) string {
	switch {
	case t.Failed():
		return "failed"
	case t.Skipped():
		return "skipped"
	}
	return "passed"
}

func printSummary(w io.Writer) {
	outcomes.Lock()
	defer outcomes.Unlock()
	rows := outcomes.rows
	slices.SortFunc(rows, func(a, b outcome) int { return cmp.Compare(a.name, b.name) })
	width, count := 0, map[string]int{}
	for _, row := range rows {
		width = max(width, len(row.name))
		count[row.result]++
	}
	fmt.Fprintf(w, "\ne2e with %s\n\n", strings.Join(toolVersions(), ", "))
	for _, row := range rows {
		fmt.Fprintf(w, "%-7s %5.1fs  %-*s  %s\n", row.result, row.took.Seconds(), width, row.name, row.shows)
	}
	fmt.Fprintf(w, "\n%d passed, %d failed, %d skipped\n", count["passed"], count["failed"], count["skipped"])
}
