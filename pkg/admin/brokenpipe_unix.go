//go:build !windows

package admin

import "syscall"

// noReader is what writing into a pipe without reader gives beside EPIPE.
const noReader = syscall.EPIPE
