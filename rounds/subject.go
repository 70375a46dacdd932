package rounds

import (
	"context"

	"wardwatch/storage"
	"wardwatch/ward"
)

// The engine of ward visits serves every purpose; what differs is here, in
// physician.go (who may be asked), and in what the store does with a verdict
// (storage.dutyOfVisit, storage.enrolOfVisit).

// subject is whose face a visit is to meet, with the name.
func subject(ctx context.Context, store *storage.Store, v ward.Visit) (ward.Insured, error) {
	if !v.Purpose.OfPhysician() {
		return store.Insured(ctx, v.InsuredID)
	}
	p, err := store.Physician(ctx, v.PhysicianID)
	return ward.Insured{Name: p.Name, Template: p.Template, ModelID: p.ModelID}, err
}

// policyPurpose is whose check policy counts: that of the ward for every patient in it.
func policyPurpose(v ward.Visit) ward.Purpose {
	if v.Purpose == ward.ForEnrolment {
		return ward.ForVisit
	}
	return v.Purpose
}

// siteOf is where a visit has to be: a physician inside the fence of the
// institution's duty policy, with no codes to be filmed.
func siteOf(ctx context.Context, store *storage.Store, v ward.Visit) (ward.Site, error) {
	if v.Purpose == ward.ForTreatment { // at a machine, not in a bed
		return ward.Site{}, nil
	}
	if !v.Purpose.OfPhysician() {
		return store.Site(ctx, v.InstitutionID)
	}
	p, err := store.DutyPolicyFor(ctx, v.InstitutionID)
	return dutySite(p), err
}

// siteVersion is siteOf for the version that a replayed visit was judged by.
func siteVersion(ctx context.Context, store *storage.Store, v ward.Visit, version int) (ward.Site, error) {
	if !v.Purpose.OfPhysician() {
		return store.SiteVersion(ctx, v.InstitutionID, version)
	}
	p, err := store.DutyPolicyVersion(ctx, version)
	return dutySite(p), err
}

func dutySite(p ward.DutyPolicy) ward.Site {
	return ward.Site{Version: p.Version, InstitutionID: p.InstitutionID, Fence: p.Fence}
}
