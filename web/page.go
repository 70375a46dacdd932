package web

import "wardwatch/ward"

// Page is one page of a list. Next is empty on the last one.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next" doc:"Give it as ?cursor= to get the next page; empty at the end"`
}

// Paging is embedded in the input of every paged list.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"200" doc:"Next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

// body is an output with nothing but a JSON body.
type body[T any] struct{ Body T }

func answer[T any](v T, err error) (*body[T], error) {
	if err != nil {
		return nil, err
	}
	return &body[T]{v}, nil
}

// items answers a whole list as its only page.
func items[T any](v []T, err error) (*body[Page[T]], error) {
	if err != nil {
		return nil, err
	}
	return &body[Page[T]]{Page[T]{Items: list(v)}}, nil
}

// list is v, never nil, so that JSON has [] and not null.
func list[T any](v []T) []T {
	if v == nil {
		return []T{}
	}
	return v
}

// empty is the output of a 204.
type empty struct{}

type none struct{}

// InstitutionFilter is embedded in the input of lists.
type InstitutionFilter struct {
	InstitutionID ward.InstitutionID `query:"institution_id" maxLength:"64" doc:"Only this institution"`
}

// pageAfter is a page of v whose cursor is the id of its last item.
func pageAfter[T any](v []T, limit int, id func(T) string) Page[T] {
	p := Page[T]{Items: list(v)}
	if limit > 0 && len(v) >= limit {
		p.Next = id(v[len(v)-1])
	}
	return p
}
