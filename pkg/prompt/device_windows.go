package prompt

import (
	"os"

	"golang.org/x/sys/windows"
)

func openControlling() (device, error) {
	in, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return device{}, err
	}
	out, err := os.OpenFile("CONOUT$", os.O_RDWR, 0)
	if err != nil {
		_ = in.Close()
		return device{}, err
	}
	closeBoth := func() {
		_ = in.Close()
		_ = out.Close()
	}
	return device{in: in, out: out, close: closeBoth}, nil
}

func understandEscapes(fd int) error {
	var mode uint32
	if err := windows.GetConsoleMode(windows.Handle(fd), &mode); err != nil {
		return err
	}
	return windows.SetConsoleMode(windows.Handle(fd), mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING)
}
