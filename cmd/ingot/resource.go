package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/ingot-metal/ingot/api/client"
)

// resource is what the common verbs have to know of a collection of the API.
type resource struct {
	path    []string // below /v1
	columns []string // of a list
	long    []string // further ones of a long list
	detail  bool     // lists take ?detail=
	whole   bool     // lists have all fields always, and take no ?fields=
}

// bind gives the command that was chosen what its groups know: the session, and the resource that the verbs work on.
func bind(chosen *kong.Context) error {
	for _, at := range chosen.Path {
		if at.Command == nil {
			continue
		}
		group := at.Command.Target.Addr().Interface()
		if g, ok := group.(interface{ session() (*session, error) }); ok {
			s, err := g.session()
			if err != nil {
				return err
			}
			chosen.Bind(s)
		}
		if g, ok := group.(interface{ resource() resource }); ok {
			chosen.Bind(g.resource())
		}
	}
	return nil
}

// at is the resource's collection.
func (r resource) at(s *session) client.Resource { return s.Resource(r.path...) }

// below is what stands at a path below one thing of the collection.
func (r resource) below(s *session, name string, parts ...string) client.Resource {
	return s.Resource(slices.Concat(r.path, []string{name}, parts)...)
}

// listCommand is the verb list.
type listCommand struct {
	Filters []string `arg:"" optional:"" name:"FILTER=VALUE" help:"Only those; also sort_key=, sort_dir=, limit=, marker=."`
	Long    bool     `short:"l" help:"More columns."`
}

// Run prints a list.
func (l *listCommand) Run(ctx context.Context, s *session, r resource) error {
	q, err := query(l.Filters)
	if err != nil {
		return err
	}
	columns := r.columns
	if l.Long {
		columns = append(columns[:len(columns):len(columns)], r.long...)
	}
	r.choose(s, q, columns)
	items, err := r.at(s).List(ctx, q)
	if err != nil {
		return err
	}
	return s.printList(items, columns)
}

// choose asks for the fields that will be printed, and no others.
func (r resource) choose(s *session, q url.Values, columns []string) {
	if len(s.columns) > 0 {
		columns = s.columns
	}
	switch {
	case r.whole || q.Has("fields") || q.Has("detail"):
	case s.output == "table" || len(s.columns) > 0:
		q.Set("fields", strings.Join(roots(columns), ","))
	case r.detail:
		q.Set("detail", "true")
	}
}

// roots are the fields that columns begin with, each once.
func roots(columns []string) []string {
	var fields []string
	seen := map[string]bool{}
	for _, column := range columns {
		field, _, _ := strings.Cut(column, "/")
		if !seen[field] {
			fields = append(fields, field)
		}
		seen[field] = true
	}
	return fields
}

// showCommand is the verb show.
type showCommand struct {
	Name string `arg:"" help:"UUID or name."`
}

// Run prints one thing.
func (c *showCommand) Run(ctx context.Context, s *session, r resource) error {
	thing, err := r.at(s).Get(ctx, c.Name, roots(s.columns)...)
	if err != nil {
		return err
	}
	return s.printThing(thing)
}

// createCommand is the verb create.
type createCommand struct {
	Fields []string `arg:"" optional:"" name:"FIELD=VALUE" help:"FIELD=TEXT, FIELD:=JSON, FIELD/KEY=TEXT; a value @FILE is the file's content."`
}

// Run makes a thing.
func (c *createCommand) Run(ctx context.Context, s *session, r resource) error {
	thing, err := c.create(ctx, s, r)
	if err != nil {
		return err
	}
	return s.printMade(thing)
}

func (c *createCommand) create(ctx context.Context, s *session, r resource) (object, error) {
	fields, err := fieldsOf(c.Fields)
	if err != nil {
		return nil, err
	}
	return r.at(s).Create(ctx, fields)
}

// printMade prints a new thing's UUID, which is what people need; programs get it whole.
func (s *session) printMade(thing object) error {
	if s.output == "table" && len(s.columns) == 0 {
		fmt.Fprintln(s.out, thing["uuid"])
		return nil
	}
	return s.printThing(thing)
}

// setCommand is the verb set.
type setCommand struct {
	Name   string   `arg:"" help:"UUID or name."`
	Fields []string `arg:"" name:"FIELD=VALUE" help:"FIELD=TEXT, FIELD:=JSON, FIELD/KEY=TEXT; a value @FILE is the file's content."`
}

// Run changes fields.
func (c *setCommand) Run(ctx context.Context, s *session, r resource) error {
	list, err := assignments(c.Fields)
	if err != nil {
		return err
	}
	return r.patch(ctx, s, c.Name, nil, patches(list, nil))
}

// patch changes a thing; how it became is printed only to programs.
func (r resource) patch(ctx context.Context, s *session, name string, q url.Values, list []client.Patch) error {
	thing, err := r.at(s).Patch(ctx, name, q, list...)
	if err != nil || s.output == "table" {
		return err
	}
	return s.printThing(thing)
}

// unsetCommand is the verb unset.
type unsetCommand struct {
	Name   string   `arg:"" help:"UUID or name."`
	Fields []string `arg:"" name:"FIELD" help:"FIELD, or FIELD/KEY."`
}

// Run takes fields away.
func (c *unsetCommand) Run(ctx context.Context, s *session, r resource) error {
	return r.patch(ctx, s, c.Name, nil, patches(nil, c.Fields))
}

// deleteCommand is the verb delete.
type deleteCommand struct {
	Names []string `arg:"" name:"name" help:"UUIDs or names."`
}

// Run forgets things.
func (c *deleteCommand) Run(ctx context.Context, s *session, r resource) error {
	return each(ctx, c.Names, r.at(s).Delete)
}

// readVerbs are the verbs of what can be looked at only.
type readVerbs struct {
	List listCommand `cmd:"" help:"List them."`
	Show showCommand `cmd:"" help:"Show one whole."`
}

// allVerbs are the verbs of what users make.
type allVerbs struct {
	readVerbs
	Create createCommand `cmd:"" help:"Make one; its UUID is printed."`
	Set    setCommand    `cmd:"" help:"Change fields."`
	Unset  unsetCommand  `cmd:"" help:"Take fields away."`
	Delete deleteCommand `cmd:"" help:"Forget them."`
}
