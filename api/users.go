package api

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"github.com/ingot-metal/ingot"
)

// User is a line of a user file: USER:HASH, as htpasswd -B writes it, for an admin of the whole service, or
// USER:HASH:roles=ROLE+ROLE,project=ID for roles in a project, or …,scope=system for roles in the whole service.
type User struct {
	ingot.Identity
	Hash string // bcrypt
}

// Line is the user as a line of the file.
func (u User) Line() string {
	line := u.User + ":" + u.Hash
	if u.System && slices.Equal(u.Roles, []string{ingot.RoleAdmin}) {
		return line
	}
	line += ":roles=" + strings.Join(u.Roles, "+")
	if u.System {
		return line + ",scope=system"
	}
	return line + ",project=" + u.Project
}

// Check says what is wrong with a user, if anything; its sentence does not hold the hash.
func (u User) Check() error {
	switch {
	case u.User == "" || strings.ContainsAny(u.User, ":\n\r") || strings.HasPrefix(u.User, "#"):
		return fmt.Errorf("user name %q is empty or has a colon, a line break or # at its start", u.User)
	case len(u.Roles) == 0:
		return fmt.Errorf("user %s has no roles", u.User)
	case u.System == (u.Project != ""):
		return fmt.Errorf("user %s needs either project=ID or scope=system", u.User)
	case strings.ContainsAny(u.Project, ",:\n\r"):
		return fmt.Errorf("project %q of user %s has a comma, a colon or a line break", u.Project, u.User)
	}
	for _, role := range u.Roles {
		if !slices.Contains(ingot.Roles(), role) {
			return fmt.Errorf("role %q of user %s is not one of %s", role, u.User, strings.Join(ingot.Roles(), ", "))
		}
	}
	if _, err := bcrypt.Cost([]byte(u.Hash)); err != nil {
		return fmt.Errorf("user %s has no bcrypt hash: make it with ingot user add, or htpasswd -nbB", u.User)
	}
	return nil
}

// ParseUsers reads a user file. Only bcrypt is taken, as in Ironic.
func ParseUsers(text string) ([]User, error) {
	var users []User
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		u, err := parseUser(line)
		if err == nil && slices.ContainsFunc(users, func(other User) bool { return other.User == u.User }) {
			err = fmt.Errorf("user %s is there twice", u.User)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		users = append(users, u)
	}
	return users, nil
}

func parseUser(line string) (User, error) {
	name, rest, ok := strings.Cut(line, ":")
	if !ok || name == "" {
		return User{}, fmt.Errorf("it is not USER:HASH")
	}
	hash, options, given := strings.Cut(rest, ":")
	u := User{Hash: hash, Identity: ingot.Everybody()}
	u.User = name
	if !given {
		return u, u.Check()
	}
	u.Identity = ingot.Identity{User: name}
	for option := range strings.SplitSeq(options, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(option), "=")
		switch {
		case key == "roles":
			u.Roles = strings.Split(value, "+")
		case key == "project":
			u.Project = value
		case key == "scope" && value == "system":
			u.System = true
		default:
			return u, fmt.Errorf("user %s: %q is not roles=ROLE+ROLE, project=ID or scope=system", name, key)
		}
	}
	return u, u.Check()
}
