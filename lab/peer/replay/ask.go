package main

import (
	"bufio"
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

//go:embed requests/*.txt
var requests embed.FS

// ask is one request in one microversion. Where want is not "", it is asked until the body's field has that value and
// nobody holds the node, as operations go on after their answers.
type ask struct {
	at           string // file and line
	method, path string
	version      string // of the header; "-" sends none
	headers      []string
	body         string
	field, want  string
}

func (a *ask) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s", a.version, a.method, a.path, a.body, strings.Join(a.headers, " ")))
}

// versions are those in which a line that begins with "*" is asked.
func versions() []string { return []string{"1.1", "1.31", "1.61", "1.82"} }

// scripts are the files of requests, in the order in which they are sent: later ones use what earlier ones made.
func scripts() []string {
	names, err := fs.Glob(requests, "requests/*.txt")
	if err != nil {
		panic(err) // the pattern is wrong
	}
	for i := range names {
		names[i] = strings.TrimPrefix(names[i], "requests/")
	}
	slices.Sort(names)
	return names
}

// read gives the requests of a file. A line is one of
//
//	VERSION METHOD PATH [BODY]    the body is the rest of the line, as it is
//	with NAME: VALUE              a header of the next request
//	until NODE FIELD VALUE        a node is looked at until the field has the value
//
// where "*" for the version stands for several and $7 for the seventh UUID. Empty lines and those after # say nothing.
func read(file string) ([]ask, error) {
	text, err := requests.ReadFile("requests/" + file)
	if err != nil {
		return nil, fmt.Errorf("cannot read requests: %w", err)
	}
	var all []ask
	var headers []string
	lines := bufio.NewScanner(strings.NewReader(string(text)))
	for n := 1; lines.Scan(); n++ {
		line, at := expand(strings.TrimSpace(lines.Text())), fmt.Sprintf("%s:%d", file, n)
		switch word, rest, _ := strings.Cut(line, " "); {
		case line == "" || line[0] == '#':
		case word == "with":
			headers = append(headers, rest)
		case word == "until":
			node, rest, _ := strings.Cut(rest, " ")
			field, value, _ := strings.Cut(rest, " ")
			all = append(all, ask{at: at, method: "GET", path: "/v1/" + node, version: "1.82", field: field, want: value})
		default:
			found, err := parse(at, word, rest)
			if err != nil {
				return nil, err
			}
			for i := range found {
				found[i].headers = headers
			}
			all, headers = append(all, found...), nil
		}
	}
	return all, lines.Err()
}

func parse(at, version, rest string) ([]ask, error) {
	method, rest, _ := strings.Cut(rest, " ")
	path, body, _ := strings.Cut(rest, " ")
	if method == "" || !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("%s: cannot read the line: it has to be VERSION METHOD PATH [BODY]", at)
	}
	wanted := []string{strings.ReplaceAll(version, "_", " ")}
	if version == "*" {
		wanted = versions()
	}
	all := make([]ask, len(wanted))
	for i, v := range wanted {
		all[i] = ask{at: at, method: method, path: path, version: v, body: body}
	}
	return all, nil
}

var placeholder = regexp.MustCompile(`\$[0-9]+`)

func expand(line string) string {
	return placeholder.ReplaceAllStringFunc(line, func(p string) string {
		n, err := strconv.Atoi(p[1:])
		if err != nil {
			return p
		}
		return fmt.Sprintf("7e57ab1e-0000-4000-8000-%012d", n)
	})
}
