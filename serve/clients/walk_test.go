package clients_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/serve"
)

// TestWalk sends random requests to nodes of fake hardware, several at a time: no answer is 5xx, what is refused stores
// nothing, and the states in which nodes are seen follow Ironic's table. INGOT_TEST_SEED repeats the requests of a run.
func TestWalk(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("INGOT_TEST_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
	}
	s := walkable(t)
	sent, err := walk(t, s, s.API.Handler(), seed, 2*time.Minute, 1600)
	require.NoError(t, err, "INGOT_TEST_SEED=%d", seed)
	seen, err := s.judgeStates(t)
	require.NoError(t, err, "INGOT_TEST_SEED=%d", seed)
	t.Logf("INGOT_TEST_SEED=%d: %d requests, %d changes of state", seed, sent, seen)
	require.Greater(t, seen, 50, "hardly anything happened")
}

// TestWalkFindsFaults plants what a walk is there to find.
func TestWalkFindsFaults(t *testing.T) {
	t.Parallel()
	s := walkable(t)
	real := s.API.Handler()
	seed := uint64(0)
	for name, fault := range map[string]http.HandlerFunc{
		"answers 500": func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			if real.ServeHTTP(answer, r); answer.Code == http.StatusBadRequest {
				answer.Code = http.StatusInternalServerError
			}
			w.WriteHeader(answer.Code)
		},
		"was refused, and yet changed": func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			if real.ServeHTTP(answer, r); r.Method != http.MethodGet && answer.Code < 300 {
				answer.Code = http.StatusConflict
			}
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
		},
	} {
		seed++ // nodes of its own
		_, err := walk(t, s, fault, seed, 30*time.Second, 2000)
		require.ErrorContains(t, err, name)
	}

	n := &ingot.Node{UUID: uuid(90), ProvisionState: ingot.Enroll}
	s.node(t, n)
	_, err := s.Store.ChangeNode(t.Context(), ingot.NodeChange{
		UUID: n.UUID, Change: func(*ingot.Node) error { return nil },
		Events: []ingot.Event{{Type: "node.state", Node: n.UUID, Data: object{"from": "enroll", "to": "active"}}},
	})
	require.NoError(t, err)
	_, err = s.judgeStates(t)
	require.ErrorContains(t, err, "from enroll to active")
}

// walkable is a service whose operations are over soon, one way or another.
func walkable(t *testing.T) *service {
	t.Helper()
	return start(t, func(c *serve.Config) {
		c.Fake.Beat = 20 * time.Millisecond
		c.Conduct.CallbackTimeout, c.Conduct.PowerSync = 3*time.Second, time.Second
		c.API.LockedTries = 1
	})
}

// walk sends requests to nodes of its own until the time or the number is over, from several walkers, each with a node.
func walk(t *testing.T, s *service, handler http.Handler, seed uint64, within time.Duration, most int) (sent int, err error) {
	t.Helper()
	const walkers = 4
	image := s.image(t)
	var group errgroup.Group
	counts, until := make([]int, walkers), time.Now().Add(within)
	for i := range walkers {
		w := &walker{t: t, service: s, handler: handler, rand: rand.New(rand.NewPCG(seed, uint64(i))), image: image} //nolint:gosec // to be repeated
		w.settle()
		group.Go(func() (err error) {
			for counts[i] = 0; counts[i] < most/walkers && time.Now().Before(until) && err == nil; counts[i]++ {
				err = w.step()
			}
			return err
		})
	}
	err = group.Wait()
	for _, n := range counts {
		sent += n
	}
	return sent, err
}

// walker is somebody who does things to one node.
type walker struct {
	t       *testing.T
	service *service
	handler http.Handler
	rand    *rand.Rand
	image   object
	node    string
}

// settle gives the walker a new node, made past whatever fault was planted.
func (w *walker) settle() {
	n := &ingot.Node{UUID: fmt.Sprintf("6d0c1a52-5e4f-4c7a-9a35-%012x", w.rand.Uint64()&0xffffffffffff)}
	n.InstanceInfo, n.ProvisionState = w.image, [...]ingot.State{ingot.Enroll, ingot.Manageable, ingot.Available, ingot.Active}[w.rand.IntN(4)]
	w.service.node(w.t, n)
	w.node = n.UUID
}

// step sends one request and looks at what became of it.
func (w *walker) step() error {
	a := w.choose()
	path, body := strings.ReplaceAll(a.path, "NODE", w.node), a.body
	if body == "" && a.bodies != nil {
		body = a.bodies[w.rand.IntN(len(a.bodies))]
	}
	before := w.kept()
	status, text := w.send(a.method, path, body)
	said := fmt.Sprintf("%s %s %s: %d %s", a.method, path, body, status, text)
	switch {
	case status >= 500 && status != http.StatusServiceUnavailable:
		return fmt.Errorf("the service answers %d: %s", status, said)
	case status >= 400:
		if after := w.kept(); !reflect.DeepEqual(before, after) {
			return fmt.Errorf("a request was refused, and yet changed what is kept: %s\nbefore %v\nafter  %v", said, before, after)
		}
	case a.method == http.MethodDelete && path == nodes+w.node:
		w.settle()
	}
	return nil
}

// choose draws an action, every other time a verb that goes with the node's state. Now and then what is under way is left
// alone for a moment.
func (w *walker) choose() action {
	all := actions()
	n, err := w.service.Store.Node(w.t.Context(), w.node)
	if err == nil && n.ProvisionState.Busy() && w.rand.IntN(3) > 0 {
		time.Sleep(time.Duration(w.rand.IntN(40)) * time.Millisecond)
	}
	if err != nil || w.rand.IntN(2) == 0 {
		return all[w.rand.IntN(len(all))]
	}
	var bodies []string
	for _, row := range ingot.Transitions() {
		if row.From == n.ProvisionState {
			bodies = append(bodies, fittingBody(row.Verb))
		}
	}
	if bodies == nil {
		return all[w.rand.IntN(len(all))]
	}
	return action{"PUT", nodes + "NODE/states/provision", "", bodies}
}

func (w *walker) send(method, path, body string) (status int, text string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body)).WithContext(w.t.Context())
	r.RemoteAddr = "192.0.2.1:1" // as the fake agents
	r.Header.Set("X-OpenStack-Ironic-API-Version", "1.115")
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	return answer.Code, answer.Body.String()
}

// kept is what is only changed by requests: fields that no operation writes, the operations themselves, and the ports.
func (w *walker) kept() object {
	n, err := w.service.Store.Node(w.t.Context(), w.node)
	if err != nil {
		return object{"error": err.Error()}
	}
	operations, err := w.service.Store.Operations(w.t.Context(), w.node, 1)
	if err != nil {
		return object{"error": err.Error()}
	}
	ports, err := w.service.Store.Ports().List(w.t.Context(), ingot.PortQuery{NodeUUID: w.node})
	kept := object{
		"name": n.Name, "description": n.Description, "extra": n.Extra, "driver_info": n.DriverInfo, "traits": n.Traits, "protected": n.Protected, "retired": n.Retired,
		"automated_clean": n.AutomatedClean, "resource_class": n.ResourceClass, "owner": n.Owner, "raid": n.TargetRAIDConfig, "interfaces": n.Interfaces, "ports": len(ports), "error": err,
	}
	if len(operations) > 0 {
		kept["operation"] = operations[0].UUID
	}
	return kept
}
