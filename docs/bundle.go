package docs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	importLine = regexp.MustCompile(`(?m)^import \{ ([^}]*) \} from "\./(\w+)\.js";\n`)
	exportWord = regexp.MustCompile(`(?m)^export ((?:async function|function|const|class) ([\w$]+))`)
	// A comment on a line of its own. No text in the modules has such a line.
	comment = regexp.MustCompile(`(?m)^[ \t]*//.*\n`)
)

// bundle puts modules into one, which comes in one answer and packs better than many. Each module
// becomes a function that is called once and returns what the module exports; app is the last of
// them. It knows the forms of import and export that the page uses, and no others.
func bundle(source func(name string) string) []byte {
	var out strings.Builder
	var done, open []string
	var add func(name string)
	add = func(name string) {
		if slices.Contains(done, name) {
			return
		}
		if slices.Contains(open, name) {
			panic(fmt.Sprintf("the modules %v import each other", open))
		}
		open = append(open, name)
		text := source(name)
		for _, m := range importLine.FindAllStringSubmatch(text, -1) {
			add(m[2])
		}
		text = importLine.ReplaceAllString(text, "const { $1 } = module_$2;\n")
		var names []string
		for _, m := range exportWord.FindAllStringSubmatch(text, -1) {
			names = append(names, m[2])
		}
		text = comment.ReplaceAllString(exportWord.ReplaceAllString(text, "$1"), "")
		if name == "app" {
			out.WriteString(text)
		} else {
			fmt.Fprintf(&out, "const module_%s = (() => {\n%sreturn { %s };\n})();\n", name, text,
				strings.Join(names, ", "))
		}
		done, open = append(done, name), open[:len(open)-1]
	}
	add("app")
	return []byte(out.String())
}
