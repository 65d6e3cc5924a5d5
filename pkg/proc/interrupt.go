package proc

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// Interruptible returns a ctx that ends with the first Ctrl-C or SIGTERM, so that a
// program can put things in order. The second one kills, as it does without. What
// was to be ignored when the process began (nohup, a shell's background job) stays
// ignored. stop ends the ctx and gives the signals back.
func Interruptible(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := slices.DeleteFunc([]os.Signal{os.Interrupt, syscall.SIGTERM}, signal.Ignored)
	if len(signals) == 0 { // none would mean all
		return ctx, cancel
	}
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, signals...)
	go func() {
		select {
		case <-caught:
		case <-ctx.Done():
		}
		signal.Stop(caught) // before the ctx ends: whoever sees that may be killed
		cancel()
	}()
	return ctx, cancel
}
