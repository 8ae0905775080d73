package api

import (
	"net/http"
	"slices"

	"github.com/ingot-metal/ingot"
)

// listRunbookTraits is GET /v1/runbooks/{runbook}/traits.
func listRunbookTraits(r *request) (response, error) {
	b, err := r.tables.runbooks.find(r)
	if err != nil {
		return response{}, err
	}
	return response{body: map[string]any{"traits": listed(b.Traits)}}, nil
}

// setRunbookTraits is PUT /v1/runbooks/{runbook}/traits: the list takes the place of the runbook's.
func setRunbookTraits(r *request) (response, error) {
	wanted, err := r.traitsBody("runbook")
	if err != nil {
		return response{}, err
	}
	return changeRunbookTraits(r, func([]string) []string { return wanted })
}

// addRunbookTrait is PUT /v1/runbooks/{runbook}/traits/{trait}.
func addRunbookTrait(r *request) (response, error) {
	trait, err := r.traitParam()
	if err != nil {
		return response{}, err
	}
	res, err := changeRunbookTraits(r, func(have []string) []string { return append(slices.Clone(have), trait) })
	res.location = "runbooks/" + r.param("runbook") + "/traits/" + trait
	return res, err
}

// removeRunbookTraits is DELETE /v1/runbooks/{runbook}/traits.
func removeRunbookTraits(r *request) (response, error) {
	return changeRunbookTraits(r, func([]string) []string { return nil })
}

// removeRunbookTrait is DELETE /v1/runbooks/{runbook}/traits/{trait}. One that is not there is gone already.
func removeRunbookTrait(r *request) (response, error) {
	return changeRunbookTraits(r, func(have []string) []string {
		return slices.DeleteFunc(slices.Clone(have), func(t string) bool { return t == r.param("trait") })
	})
}

func changeRunbookTraits(r *request, pick func([]string) []string) (response, error) {
	b, err := r.tables.runbooks.find(r)
	if err != nil {
		return response{}, err
	}
	_, err = r.api.Runbooks.Change(r.Context(), b.UUID, 0, func(b *ingot.Runbook) error {
		b.Traits = ingot.Traits(pick(b.Traits))
		return nil
	}, r.tables.runbooks.event("updated", &b))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusNoContent}, nil
}

// checkRunbook puts a runbook's steps into the place of the user's (Ironic: _handle_runbook). The node has to have one of
// the runbook's traits or, below 1.112, a trait of the runbook's name.
func (r *request) checkRunbook(p *provisionArgs, n *ingot.Node) error {
	switch {
	case p.runbook == "":
		return nil
	case !r.since(92) || r.api.Runbooks == nil:
		return errNotAcceptable()
	}
	b, err := r.usableRunbook(p.runbook)
	if err != nil {
		return err
	}
	if err := r.approved(&b, n); err != nil {
		return err
	}
	switch {
	case p.verb == ingot.VerbClean && len(p.req.CleanSteps) > 0:
		return ingot.Errorf(ingot.Invalid, `Please provide either "clean_steps" or a runbook, but not both.`)
	case p.verb == ingot.VerbService && len(p.req.ServiceSteps) > 0:
		return ingot.Errorf(ingot.Invalid, `Please provide either "service_steps" or a runbook, but not both.`)
	case p.verb == ingot.VerbClean:
		p.req.CleanSteps = b.Ordered()
	case p.verb == ingot.VerbService:
		p.req.ServiceSteps = b.Ordered()
	default:
		return ingot.Errorf(ingot.Invalid, `"runbooks" is only valid when setting target provision state to any of ['clean', 'service']`)
	}
	p.req.DisableRamdisk = b.DisableRamdisk
	if b.Owner == "" || b.Public { // the operator's: approved as it is
		return nil
	}
	return r.mayCarryOut(holderOf(n), b.Steps)
}

// usableRunbook finds a runbook that the caller may use. A public one is every project's, as Ironic's documentation has it:
// who may use their project's own may use it. (Ironic's rule as it comes compares with the owner, whom a public one has not,
// and so lets in members of the system and services alone.)
func (r *request) usableRunbook(ident string) (ingot.Runbook, error) {
	b, err := r.api.Runbooks.Get(r.Context(), ident)
	of := holder{owner: b.Owner}
	if b.Public {
		of.owner = r.who.Project
	}
	switch {
	case ingot.CodeOf(err) == ingot.NotFound, err == nil && !b.Public && !r.may("runbook:get", of):
		return b, r.tables.runbooks.missing(ident)
	case err == nil && !r.may("runbook:use", of):
		return b, errDenied("runbook:use")
	}
	return b, err
}

// approved says whether the runbook may be used on the node.
func (r *request) approved(b *ingot.Runbook, n *ingot.Node) error {
	shares := slices.ContainsFunc(b.Traits, func(trait string) bool { return slices.Contains(n.Traits, trait) })
	switch {
	case !r.since(112) && slices.Contains(n.Traits, b.Name), r.since(112) && shares:
		return nil
	case !r.since(112):
		return ingot.Errorf(ingot.Invalid, "This runbook has not been approved for use on this node %s. Please ask an administrator to add it to your node traits.", n.UUID)
	case len(b.Traits) == 0:
		return ingot.Errorf(ingot.Invalid, "Runbook %s has no traits configured. Please ask an administrator to add traits to the runbook.", b.UUID)
	}
	return ingot.Errorf(ingot.Invalid, "This runbook has not been approved for use on this node %s. The node does not have any of the runbook's traits %s. "+
		"Please ask an administrator to add a matching trait to your node.", n.UUID, "["+reprWords(b.Traits)+"]")
}
