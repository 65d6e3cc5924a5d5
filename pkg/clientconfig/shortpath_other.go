//go:build !windows

package clientconfig

// withoutSpaces is for Windows: shells elsewhere read quotes.
func withoutSpaces(path string) string { return path }
