package api

import "github.com/ingot-metal/ingot"

// grants are ways of being allowed, each a role in a scope: of the whole service, of the project that owns the thing, of
// the one that leases it, or of any project at all. A rule is the set of those that pass it.
type grants uint32

// The grants. Who holds one of a role also holds those of the roles that it has.
const (
	systemAdmin grants = 1 << iota
	systemManager
	systemMember
	systemReader
	systemService
	ownerAdmin
	ownerManager
	ownerMember
	ownerReader
	ownerService
	lesseeAdmin
	lesseeManager
	lesseeMember
	lesseeReader
	lesseeService
	anyAdmin
	anyManager
	anyMember
	anyReader
	anyService
)

// The sets that rules are made of, by the checks in Ironic's common/policy.py.
const (
	everyReader   = anyReader | anyService                                                        // API_READER
	systemReaders = systemReader | systemService                                                  // SYSTEM_READER
	readers       = systemReaders | ownerReader | lesseeReader | ownerService                     // SYSTEM_OR_PROJECT_READER
	ownerReaders  = systemReaders | ownerReader | ownerService                                    // SYSTEM_OR_OWNER_READER
	members       = systemMember | systemService | ownerMember | lesseeMember                     // SYSTEM_OR_PROJECT_MEMBER
	operators     = systemMember | systemService | ownerMember | lesseeManager | ownerService     // SYSTEM_OR_OWNER_MEMBER_AND_LESSEE_ADMIN
	ownerMembers  = systemMember | systemService | ownerMember | ownerService                     // SYSTEM_MEMBER_OR_OWNER_MEMBER
	ownerManagers = systemMember | systemService | ownerManager | ownerService                    // SYSTEM_MEMBER_OR_OWNER_ADMIN
	lesseeToo     = systemMember | systemService | ownerManager | lesseeManager | ownerService    // SYSTEM_MEMBER_OR_OWNER_LESSEE_ADMIN
	builders      = systemAdmin | systemService | ownerManager | ownerService                     // SYSTEM_ADMIN_OR_OWNER_ADMIN
	ofProject     = ownerAdmin | ownerManager | ownerMember | ownerReader | ownerService | leased // what depends on whose the thing is
	leased        = lesseeAdmin | lesseeManager | lesseeMember | lesseeReader | lesseeService
)

// roleGrants are the grants of a role, by scope.
type roleGrants struct {
	role                       string
	system, owner, lessee, any grants
}

func grantTable() []roleGrants {
	return []roleGrants{
		{ingot.RoleAdmin, systemAdmin, ownerAdmin, lesseeAdmin, anyAdmin},
		{ingot.RoleManager, systemManager, ownerManager, lesseeManager, anyManager},
		{ingot.RoleMember, systemMember, ownerMember, lesseeMember, anyMember},
		{ingot.RoleReader, systemReader, ownerReader, lesseeReader, anyReader},
		{ingot.RoleService, systemService, ownerService, lesseeService, anyService},
	}
}

// holder is whose a thing is: the projects that own and lease it, "" for none.
type holder struct{ owner, lessee string }

func holderOf(n *ingot.Node) holder { return holder{n.Owner, n.Lessee} }

// held are the grants that an identity has: everywhere, and for things that its project owns or leases.
type held struct {
	project                  string
	anywhere, owning, leased grants
}

// heldBy works out an identity's grants. A service of the elevated project ("" for none) is trusted as a member of the
// system (Ironic: rbac_service_role_elevated_access).
func heldBy(who ingot.Identity, elevated string) held {
	h := held{project: who.Project}
	for _, row := range grantTable() {
		if !who.Has(row.role) {
			continue
		}
		h.anywhere |= row.any
		if who.System {
			h.anywhere |= row.system
			continue
		}
		h.owning |= row.owner
		h.leased |= row.lessee
	}
	if elevated != "" && who.Project == elevated && who.Has(ingot.RoleService) {
		h.anywhere |= systemMember | systemReader
	}
	return h
}

// over are the grants that count for a thing of the holder.
func (h held) over(of holder) grants {
	g := h.anywhere
	if h.project == "" {
		return g
	}
	if of.owner == h.project {
		g |= h.owning
	}
	if of.lessee == h.project {
		g |= h.leased
	}
	return g
}
