package faketest_test

import (
	"context"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/faketest"
)

func TestTemper(t *testing.T) {
	t.Parallel()
	var temper faketest.Temper
	if temper.Throttled("s3", "Get") || temper.Skewed() != 0 {
		t.Error("the zero value misbehaves")
	}
	temper.Wait(t.Context())
	temper.Throttle("s3", "Get", 1)
	temper.Throttle("", "Put", 2)
	for i, call := range []struct {
		service, action string
		want            bool
	}{
		{"s3", "Put", true}, {"sts", "Get", false}, {"s3", "Get", true}, {"s3", "Get", false}, {"sts", "Put", true}, {"sts", "Put", false},
	} {
		if got := temper.Throttled(call.service, call.action); got != call.want {
			t.Errorf("%d: %s %s: %v", i, call.service, call.action, got)
		}
	}
	temper.Skew(-time.Hour)
	if temper.Skewed() != -time.Hour {
		t.Errorf("%v", temper.Skewed())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	temper.Delay(time.Hour)
	temper.Wait(ctx) // would take an hour
	temper.Delay(time.Nanosecond)
	temper.Wait(t.Context())
}
