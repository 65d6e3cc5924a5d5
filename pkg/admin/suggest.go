package admin

import (
	"fmt"
	"strings"

	"github.com/svcconn/svcconn/pkg/field"
)

// didYouMean is the hint for a word that is not among those there are.
func didYouMean(word string, names []string) string {
	all := strings.Join(names, ", ")
	if near := field.Nearest(word, names); near != "" {
		return fmt.Sprintf("did you mean %q? There are: %s", near, all)
	}
	return "there are: " + all
}
