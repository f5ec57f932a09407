package documents

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// environment gives the variables that the provider and the demo read.
func environment(t *testing.T) (names []string) {
	t.Helper()
	for _, pattern := range []string{"internal/provider/*.go", "internal/demo/*.go"} {
		names = append(names, inSources(t, pattern, `"(WALDUR_[A-Z_]+)`)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// inSources finds the first group of an expression in the files of a pattern.
func inSources(t *testing.T, pattern, expression string) (found []string) {
	t.Helper()
	sources, err := fs.Glob(os.DirFS(repository), pattern)
	if err != nil || len(sources) == 0 {
		t.Fatalf("no files of %s: %v", pattern, err)
	}
	for _, source := range sources {
		content, err := os.ReadFile(filepath.Join(repository, source))
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(expression).FindAllStringSubmatch(string(content), -1) {
			found = append(found, match[1])
		}
	}
	return found
}

func TestNamesInTheDocumentsExist(t *testing.T) {
	t.Parallel()
	arguments := inSources(t, "examples/budget-check/*.tf", `(?m)^(?:variable|output) "(\w+)"`)
	for _, kind := range []struct {
		what, expression string
		known            []string
	}{
		{"a target of make", `(?m)(?:^|\x60)make ([a-z][a-z-]*)(?:\x60|$| [A-Z])`, inSources(t, "GNUmakefile", `(?m)^([a-z][a-z-]*):`)},
		{"a variable that is read", `\b(WALDUR_[A-Z_]+)\b`, append(environment(t), "WALDUR_PROJECT_UUID")},
		{"a folder", `\x60((?:internal|templates|docs|examples|tools)/[a-z_/-]*)\x60`, nil},
		{"an input or an output of the budget check", `\x60(on_overrun|allow_missing|warn_at)\b`, arguments},
	} {
		expression := regexp.MustCompile(kind.expression)
		seen := 0
		for _, p := range pages(t) {
			for _, match := range expression.FindAllStringSubmatch(p.text, -1) {
				seen++
				exists := slices.Contains(kind.known, match[1])
				if kind.known == nil {
					_, err := os.Stat(filepath.Join(repository, match[1]))
					exists = err == nil
				}
				if !exists {
					t.Errorf("%s names %q, which is not %s", p.path, match[1], kind.what)
				}
			}
		}
		if seen == 0 {
			t.Errorf("no document names %s", kind.what)
		}
	}
}

func TestGoCommandsFindWhatTheyRun(t *testing.T) {
	t.Parallel()
	commands := 0
	for _, p := range pages(t) {
		for _, match := range regexp.MustCompile("(?:\x60|\n)go (?:run|test) ([^\x60\n]+)").FindAllStringSubmatch(p.text, -1) {
			commands++
			words := strings.Fields(match[1])
			for i, word := range words {
				folder, everything := strings.CutSuffix(word, "/...")
				if strings.HasPrefix(word, "./") {
					if _, err := os.Stat(filepath.Join(repository, folder)); err != nil && !everything {
						t.Errorf("%s: go %s: there is no %s", p.path, match[1], word)
					}
				}
				if word == "-run" && i+1 < len(words) {
					tests := regexp.MustCompile(strings.Trim(words[i+1], `'"`))
					if !slices.ContainsFunc(inSources(t, "internal/*/*_test.go", `(?m)^func (Test\w+)\(`), tests.MatchString) &&
						!slices.ContainsFunc(inSources(t, "internal/*/*/*_test.go", `(?m)^func (Test\w+)\(`), tests.MatchString) {
						t.Errorf("%s: go %s: no test is called so", p.path, match[1])
					}
				}
			}
		}
	}
	if commands == 0 {
		t.Error("no command was found")
	}
}

// The commands in blocks for a shell. Each word that begins one is known here,
// and what it is given is known to it.
func (w workshop) shellCommandsExist(t *testing.T) {
	t.Parallel()
	programs := regexp.MustCompile(`^(?:time )?(terraform|tofu) (.+)`)
	others := regexp.MustCompile(`^(make [a-z-]+|export WALDUR_[A-Z_]+=\S+|cp -R examples/\S+ \S+|export \w+=\S+)$`)
	flags := regexp.MustCompile(`(?:^| )(-[a-z-]+)`)
	commands := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.language != "shell" {
				continue
			}
			for line := range strings.Lines(b.text) {
				line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
				if line == "" || strings.HasPrefix(line, "#") {
					continue
				}
				commands++
				match := programs.FindStringSubmatch(line)
				if match == nil {
					if !others.MatchString(line) {
						t.Errorf("%s shows a command that nobody has tried: %s", p.path, line)
					}
					continue
				}
				verb, arguments, _ := strings.Cut(match[2], " ")
				help, _ := w.run(t, t.TempDir(), verb, "-help")
				if !strings.Contains(help, "Usage: "+string(w.cli.Kind)+" [global options] "+verb) {
					t.Errorf("%s: %s has no command %s:\n%s", p.path, w.cli.Kind, verb, help)
				}
				for _, flag := range flags.FindAllStringSubmatch(arguments, -1) {
					if !strings.Contains(help, flag[1]) {
						t.Errorf("%s: %s %s has no %s", p.path, w.cli.Kind, verb, flag[1])
					}
				}
			}
		}
	}
	if commands < 8 {
		t.Errorf("only %d commands were found", commands)
	}
}
