package ingot

import (
	"context"
	"slices"
)

// Identity is who asks: a user, the roles that the user has, and where they hold. Roles are Keystone's: admin, manager,
// member and reader, each having those after it, and service, which stands apart.
type Identity struct {
	User    string // "" without authentication
	Roles   []string
	Project string // where the roles hold; "" with System
	System  bool   // the roles hold for the whole service
}

// Everybody is whom a service without authentication serves: somebody who may do everything.
func Everybody() Identity { return Identity{Roles: []string{RoleAdmin}, System: true} }

// The roles.
const (
	RoleAdmin   = "admin"
	RoleManager = "manager"
	RoleMember  = "member"
	RoleReader  = "reader"
	RoleService = "service"
)

// Roles are all roles, each of the first four having those after it.
func Roles() []string {
	return []string{RoleAdmin, RoleManager, RoleMember, RoleReader, RoleService}
}

// Has says whether the identity has the role, of its own or through one that comes before it.
func (i Identity) Has(role string) bool {
	if slices.Contains(i.Roles, role) {
		return true
	}
	order := Roles()[:4]
	at := slices.Index(order, role)
	return at > 0 && slices.ContainsFunc(order[:at], func(r string) bool { return slices.Contains(i.Roles, r) })
}

type identityKey struct{}

// WithIdentity is a context that says who asks, for what is done on the way.
func WithIdentity(ctx context.Context, who Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, who)
}

// IdentityOf is who asks; the zero Identity where nobody does.
func IdentityOf(ctx context.Context) Identity {
	who, _ := ctx.Value(identityKey{}).(Identity)
	return who
}
