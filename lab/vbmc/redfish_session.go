package vbmc

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/bougou/go-ipmi/pkg/bmc"
)

const (
	rootPath     = "/redfish/v1"
	servicePath  = rootPath + "/SessionService"
	sessionsPath = servicePath + "/Sessions"

	// sessionIdle ends a session that was not used for so long.
	sessionIdle = 30 * time.Minute
)

// tokens are the Redfish sessions.
type tokens struct {
	now   func() time.Time
	limit int

	mu   sync.Mutex
	last int
	open map[string]*session // by token
}

type session struct {
	number int
	id     string
	user   string
	used   time.Time
}

// login finds out who sent a request: by token, or by basic authentication.
func (r *redfishServer) login(request *http.Request) (User, error) {
	refused := refuse(http.StatusUnauthorized, "NoValidSession", "There is no valid session or login with the request.")
	if token := request.Header.Get("X-Auth-Token"); token != "" {
		name, ok := r.sessions.use(token)
		if !ok {
			return User{}, refused
		}
		return r.known(name, refused)
	}
	name, password, ok := request.BasicAuth()
	if !ok || !r.verify(name, password) {
		return User{}, refused
	}
	return r.known(name, refused)
}

// verify checks a password against the IPMI user database.
func (r *redfishServer) verify(name, password string) bool {
	user, err := r.server.ipmi.bmc.Users.GetByName(name)
	return err == nil && name != "" && len(password) <= bmc.MaxPasswordLen && user.Enabled && user.VerifyPassword([]byte(password))
}

// known returns the user of a name with the present privilege.
func (r *redfishServer) known(name string, refused error) (User, error) {
	user, err := r.server.ipmi.bmc.Users.GetByName(name)
	if err != nil || !user.Enabled {
		return User{}, refused
	}
	access := user.ChannelAccess[lanChannel]
	if !access.Enabled || access.MaxPrivilege == bmc.PrivilegeLevelNoAccess {
		return User{}, refused
	}
	return User{Name: name, Privilege: Privilege(access.MaxPrivilege)}, nil
}

// use finds the session of a token and notes that it is in use.
func (t *tokens) use(token string) (user string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expireLocked()
	found, ok := t.open[token]
	if !ok {
		return "", false
	}
	found.used = t.now()
	return found.user, true
}

func (t *tokens) expireLocked() {
	maps.DeleteFunc(t.open, func(_ string, s *session) bool { return t.now().Sub(s.used) > sessionIdle })
}

// add opens a session; ok is false when there is no room.
func (t *tokens) add(user string) (token string, opened session, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expireLocked()
	if len(t.open) >= t.limit {
		return "", session{}, false
	}
	if t.open == nil {
		t.open = map[string]*session{}
	}
	t.last++
	token, opened = rand.Text(), session{number: t.last, id: strconv.Itoa(t.last), user: user, used: t.now()}
	t.open[token] = &opened
	return token, opened, true
}

// list returns the open sessions, oldest first.
func (t *tokens) list() []session {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expireLocked()
	var open []session
	for _, s := range t.open {
		open = append(open, *s)
	}
	slices.SortFunc(open, func(a, b session) int { return a.number - b.number })
	return open
}

// clear ends all sessions.
func (t *tokens) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.open)
}

// routes are the methods of one session's path.
func (t *tokens) routes(at string) (map[string]route, bool) {
	parent, id := path.Split(at)
	if parent != sessionsPath+"/" {
		return nil, false
	}
	i := slices.IndexFunc(t.list(), func(s session) bool { return s.id == id })
	if i < 0 {
		return nil, false
	}
	found := t.list()[i]
	return map[string]route{
		http.MethodGet: {PrivilegeUser, func(context.Context, []byte) (answer, error) {
			return answer{body: found.resource()}, nil
		}},
		http.MethodDelete: {PrivilegeUser, func(context.Context, []byte) (answer, error) {
			t.mu.Lock()
			defer t.mu.Unlock()
			maps.DeleteFunc(t.open, func(_ string, s *session) bool { return s.id == id })
			return answer{}, nil
		}},
	}, true
}

func (s session) resource() object {
	return object{
		"@odata.id": sessionsPath + "/" + s.id, "@odata.type": "#Session.v1_7_1.Session",
		"Id": s.id, "Name": "Session " + s.id, "UserName": s.user,
	}
}

func (r *redfishServer) sessionService(context.Context, []byte) (answer, error) {
	return answer{body: object{
		"@odata.id": servicePath, "@odata.type": "#SessionService.v1_1_9.SessionService",
		"Id": "SessionService", "Name": "Session Service", "ServiceEnabled": true,
		"SessionTimeout": int(sessionIdle.Seconds()), "Sessions": link(sessionsPath),
	}}, nil
}

func (r *redfishServer) listSessions(context.Context, []byte) (answer, error) {
	var paths []string
	for _, s := range r.sessions.list() {
		paths = append(paths, sessionsPath+"/"+s.id)
	}
	return answer{body: collection(sessionsPath, "SessionCollection", paths...)}, nil
}

// openSession answers the POST of a session, the login of Redfish.
func (r *redfishServer) openSession(ctx context.Context, body []byte) (answer, error) {
	values, err := properties(body, "UserName", "Password")
	if err != nil {
		return answer{}, err
	}
	name, err := text(values, "UserName")
	if err != nil {
		return answer{}, err
	}
	password, err := text(values, "Password")
	if err != nil {
		return answer{}, err
	}
	note(ctx, VerbLogin, name).User = name
	if !r.verify(name, password) {
		return answer{}, refuse(http.StatusUnauthorized, "ResourceAtUriUnauthorized", "The user name or password is wrong.")
	}
	full := refuse(http.StatusServiceUnavailable, "SessionLimitExceeded", "There is no free session.")
	if r.server.Faults.Get().NoSessions {
		return answer{}, full
	}
	token, opened, ok := r.sessions.add(name)
	if !ok {
		return answer{}, full
	}
	return answer{
		status: http.StatusCreated, body: opened.resource(), token: token,
		location: fmt.Sprint(sessionsPath, "/", opened.id),
	}, nil
}
