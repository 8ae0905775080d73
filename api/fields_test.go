package api_test

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// listed is a resource with two things in it, one of which has a value in every column.
type listed struct {
	path, name string // below /v1, and of the list
	since      int
	detail     int // the version that brought ?detail to it, 0 for none
	personas   []string
	full       map[string]map[string]any // by version, persona and UUID: all that GET of one shows
}

// TestListsShowWhatOneShows: a list, whatever fields it has, shows of each thing what GET of the thing alone shows, which
// reads every column.
func TestListsShowWhatOneShows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		db := open()
		s := startOn(t, db, func(a *api.API) {
			a.Auth, a.Flavors, a.Hypervisors = personas{}, db.Flavors(), db.Hypervisors()
			a.Compute, a.Guests = struct{ api.Compute }{}, struct{ api.GuestStore }{} // nobody asks them
		})
		makeFullThings(t, db)
		lists := listedThings()
		for i := range lists { // each field alone, so that none is left out
			l, headers := &lists[i], []string{version("1.115"), as("reader@system")}
			for name := range l.one(t, s, l.list(t, s, "", headers)[0], headers) {
				l.check(t, s, "?fields="+name, headers)
			}
		}
		rapid.Check(t, func(rt *rapid.T) {
			l := &lists[rapid.OneOf(rapid.Just(0), rapid.IntRange(0, len(lists)-1)).Draw(rt, "list")]
			minor := rapid.OneOf(rapid.Just(115), rapid.IntRange(l.since, 115)).Draw(rt, "minor")
			headers := []string{version(fmt.Sprintf("1.%d", minor)), as(rapid.SampledFrom(l.personas).Draw(rt, "who"))}
			items := l.check(t, s, "", headers)
			known := slices.Sorted(maps.Keys(l.one(t, s, items[0], headers)))
			if fields := rapid.SliceOfDistinct(rapid.SampledFrom(known), rapid.ID[string]).Draw(rt, "fields"); len(fields) > 0 {
				l.check(t, s, "?fields="+strings.Join(fields, ","), headers)
			} else if l.detail > 0 && minor >= l.detail {
				l.check(t, s, "?detail=true", headers)
			}
		})
	})
}

func listedThings() []listed {
	everybody := []string{"reader@system", "reader@owner", "reader@lessee"}
	return []listed{
		{path: "nodes", name: "nodes", since: 8, detail: 43, personas: everybody},
		{path: "ports", name: "ports", since: 8, detail: 43, personas: everybody},
		{path: "portgroups", name: "portgroups", since: 23, detail: 43, personas: everybody},
		{path: "volume/connectors", name: "connectors", since: 32, detail: 43, personas: everybody},
		{path: "volume/targets", name: "targets", since: 32, detail: 43, personas: everybody},
		{path: "allocations", name: "allocations", since: 52, personas: everybody[:2]},
		{path: "runbooks", name: "runbooks", since: 92, detail: 92, personas: everybody[:2]},
		{path: "chassis", name: "chassis", since: 8, detail: 43, personas: everybody[:1]},
		{path: "deploy_templates", name: "deploy_templates", since: 55, detail: 55, personas: everybody[:1]},
		{path: "inspection_rules", name: "inspection_rules", since: 96, detail: 96, personas: everybody[:1]},
		{path: "flavors", name: "flavors", since: 8, detail: 43, personas: everybody[:1]},
	}
}

// check asks for a list, holds its items against the things alone, and gives them. The fields of the query are all there.
func (l *listed) check(t *testing.T, s *service, query string, headers []string) []map[string]any {
	t.Helper()
	items := l.list(t, s, query, headers)
	require.Len(t, items, 2)
	for _, item := range items {
		whole := l.one(t, s, item, headers)
		for name, value := range item {
			require.Equal(t, whole[name], value, "%s of %s%s", name, l.path, query)
		}
		if names, given := strings.CutPrefix(query, "?fields="); given {
			want := append(strings.Split(names, ","), "links")
			slices.Sort(want)
			require.Equal(t, slices.Compact(want), slices.Sorted(maps.Keys(item)), query)
		}
	}
	return items
}

func (l *listed) list(t *testing.T, s *service, query string, headers []string) []map[string]any {
	t.Helper()
	found, _ := s.must(t, 200, "GET", "/v1/"+l.path+query, nil, headers...).body[l.name].([]any)
	items := make([]map[string]any, len(found))
	for i := range found {
		items[i], _ = found[i].(map[string]any)
	}
	return items
}

// one is the thing that an item of a list, which has links to it, is of.
func (l *listed) one(t *testing.T, s *service, item map[string]any, headers []string) map[string]any {
	t.Helper()
	links, _ := item["links"].([]any)
	require.NotEmpty(t, links)
	self, _ := links[0].(map[string]any)
	href, _ := self["href"].(string)
	key := strings.Join(append(headers, href), " ")
	if l.full == nil {
		l.full = map[string]map[string]any{}
	}
	if l.full[key] == nil {
		l.full[key] = s.must(t, 200, "GET", strings.TrimPrefix(href, s.URL), nil, headers...).body
	}
	return l.full[key]
}

// makeFullThings makes two things of each sort, of which the later has as little as can be: nothing of the other may be
// left in it.
func makeFullThings(t *testing.T, db *store.Store) {
	ctx := context.Background()
	for _, every := range []bool{true, false} {
		chassis := makeOne(t, every, db.Chassis().Create, func(*ingot.Chassis) {})
		node := ingot.Node{Driver: "fake-hardware", Name: "a"}
		if every {
			fillIn(reflect.ValueOf(&node).Elem(), "node")
		}
		node.UUID, node.ParentNode, node.ChassisUUID, node.Owner, node.Lessee = "", "", chassis.UUID, "owner", "lessee"
		require.NoError(t, db.CreateNode(ctx, &node, nil))
		group := makeOne(t, every, db.Portgroups().Create, func(g *ingot.Portgroup) { g.NodeUUID = node.UUID })
		makeOne(t, every, db.Ports().Create, func(p *ingot.Port) {
			p.NodeUUID, p.PortgroupUUID, p.Address = node.UUID, group.UUID, fmt.Sprintf("02:00:00:00:00:%02x", len(node.Name))
		})
		makeOne(t, every, db.VolumeConnectors().Create, func(v *ingot.VolumeConnector) {
			v.NodeUUID, v.Type, v.ConnectorID = node.UUID, "iqn", fmt.Sprint(every)
		})
		makeOne(t, every, db.VolumeTargets().Create, func(v *ingot.VolumeTarget) {
			v.NodeUUID, v.VolumeType, v.VolumeID = node.UUID, "iscsi", fmt.Sprint(every)
		})
		makeOne(t, every, db.Allocations().Create, func(a *ingot.Allocation) { a.NodeUUID, a.Owner = "", "owner" })
		makeOne(t, every, db.Runbooks().Create, func(b *ingot.Runbook) { b.Owner, b.Name = "owner", fmt.Sprint("CUSTOM_", every) })
		makeOne(t, every, db.Templates().Create, func(v *ingot.DeployTemplate) { v.Name = fmt.Sprint("CUSTOM_", every) })
		makeOne(t, every, db.Rules().Create, func(v *ingot.InspectionRule) { v.Sensitive = every })
		makeOne(t, every, db.Flavors().Create, func(f *ingot.Flavor) { f.ResourceClass = fmt.Sprint(every) })
	}
}

// makeOne creates a thing, with a value in every field if that is asked for; set gives it those that matter.
func makeOne[T any](t *testing.T, every bool, create func(context.Context, *T, ...ingot.Event) error, set func(*T)) T {
	t.Helper()
	var v T
	if every {
		fillIn(reflect.ValueOf(&v).Elem(), reflect.TypeFor[T]().Name())
		reflect.ValueOf(&v).Elem().FieldByName("UUID").SetString("")
	}
	set(&v)
	require.NoError(t, create(context.Background(), &v), "%T", v)
	return v
}

// fillIn puts something into every field, secrets and numbers that a float64 cannot hold among them.
func fillIn(v reflect.Value, name string) {
	object := map[string]any{"a": 1.5, "password": ingot.Secret("s3"), "deep": map[string]any{"token": ingot.Secret("t"), "list": []any{"x", nil, true}}}
	switch at := v.Addr().Interface().(type) {
	case *time.Time:
		*at = time.Date(2026, 11, 26, 12, 0, 0, 123000, time.UTC)
		return
	case *map[string]any:
		*at = object
		return
	case *[]map[string]any:
		*at = []map[string]any{object, {"interface": name}}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(name)
		if strings.HasSuffix(name, "UUID") {
			v.SetString(uuid.NewString())
		}
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillIn(v.Elem(), name)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fillIn(v.Index(0), name)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fillIn(key, name)
		fillIn(value, name)
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			fillIn(v.Field(i), v.Type().Field(i).Name)
		}
	}
}
