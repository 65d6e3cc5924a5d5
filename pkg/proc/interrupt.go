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
// ignored. stop gives the signals back; call it when the program is done.
func Interruptible(parent context.Context) (ctx context.Context, stop func()) {
	signals := slices.DeleteFunc([]os.Signal{os.Interrupt, syscall.SIGTERM}, signal.Ignored)
	if len(signals) == 0 { // none would mean all
		return context.WithCancel(parent)
	}
	ctx, stop = signal.NotifyContext(parent, signals...)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
