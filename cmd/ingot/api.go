package main

import (
	"cmp"
	"context"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
	"github.com/ingot-metal/ingot/api/client/live"
)

// apiFlags are the flags of all commands that speak to a service. Where Ironic's clients have an environment variable
// for the same, that works too.
type apiFlags struct {
	API         string   `name:"api" default:"http://127.0.0.1:6385" env:"INGOT_API,OS_ENDPOINT" help:"URL of the API." group:"api"`
	User        string   `env:"INGOT_USER,OS_USERNAME" help:"User name; the password comes from INGOT_PASSWORD or OS_PASSWORD." group:"api"`
	CAFile      string   `name:"ca-file" env:"INGOT_CA_FILE,OS_CACERT" help:"PEM file of the authority that the API's certificate is from." group:"api"`
	Fingerprint string   `env:"INGOT_FINGERPRINT" help:"SHA-256 of the one certificate to trust, as the service prints it at its start." group:"api"`
	Version     string   `name:"api-version" default:"latest" env:"OS_BAREMETAL_API_VERSION" help:"Microversion to speak, as 1.78." group:"api"`
	Output      string   `short:"o" enum:"table,json,yaml" default:"table" help:"How answers are printed: table, json or yaml." group:"api"`
	Columns     []string `help:"Fields to print, with commas between; FIELD/KEY looks into an object." group:"api"`
}

// session is a command's way to the service and to the user.
type session struct {
	*client.Client
	out, progress io.Writer
	output        string
	columns       []string
	terminal      bool // progress is watched
	width         int
}

func (f *apiFlags) session() (*session, error) {
	// An empty variable of ours leaves the word to that of Ironic's clients.
	base, user, file := cmp.Or(f.API, os.Getenv("OS_ENDPOINT"), "http://127.0.0.1:6385"), cmp.Or(f.User, os.Getenv("OS_USERNAME")), cmp.Or(f.CAFile, os.Getenv("OS_CACERT"))
	s := &session{
		Client: &client.Client{BaseURL: serviceURL(base), Version: f.Version, User: user, Password: password()},
		out:    os.Stdout, progress: os.Stderr, output: f.Output, columns: f.Columns,
	}
	s.width, s.terminal = terminal(os.Stderr)
	if file == "" && f.Fingerprint == "" {
		return s, nil
	}
	var err error
	s.HTTP, err = client.Trust{CAFile: file, Fingerprint: f.Fingerprint}.HTTP()
	return s, err
}

// password is the environment's: a command line can be read by everybody.
func password() ingot.Secret {
	return ingot.Secret(cmp.Or(os.Getenv("INGOT_PASSWORD"), os.Getenv("OS_PASSWORD")))
}

// serviceURL takes the forms that OS_ENDPOINT has in the wild: with /v1, and with a slash at its end.
func serviceURL(text string) string {
	text = strings.TrimRight(text, "/")
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	return strings.TrimRight(strings.TrimSuffix(text, "/v1"), "/")
}

// view shows what goes on while a command waits.
func (s *session) view() *live.View {
	return &live.View{Out: s.progress, Terminal: s.terminal, Width: s.width}
}

// each does something for every name, and goes on after a failure.
func each(ctx context.Context, names []string, do func(context.Context, string) error) error {
	errs := make([]error, len(names))
	for i, name := range names {
		errs[i] = do(ctx, name)
	}
	return joined(errs)
}

// joined is what failed, or nil.
func joined(errs []error) error {
	failed := slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	switch len(failed) {
	case 0:
		return nil
	case 1:
		return failed[0]
	}
	return failures(failed)
}

// failures are several errors, a line for each.
type failures []error

func (f failures) Error() string {
	lines := make([]string, len(f))
	for i, err := range f {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\ningot: ")
}

func (f failures) Unwrap() []error { return slices.Clone(f) }
