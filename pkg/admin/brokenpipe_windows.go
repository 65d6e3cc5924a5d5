package admin

import "syscall"

// noReader is ERROR_NO_DATA: the reader has closed the pipe.
const noReader = syscall.Errno(232)
