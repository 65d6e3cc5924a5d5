// Hello is what the images of the tests hold. It prints $GREETING.
package main

import "os"

func main() { os.Stdout.WriteString(os.Getenv("GREETING") + "\n") }
