package web

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// document brings the generated document in line with what is sent: lists are
// never null, and every error is plain JSON of one form.
func document(doc *huma.OpenAPI) *huma.OpenAPI {
	for _, schema := range doc.Components.Schemas.Map() {
		neverNull(schema)
	}
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Patch, item.Delete} {
			if op != nil {
				settle(op)
			}
		}
	}
	return doc
}

func settle(op *huma.Operation) {
	for _, response := range op.Responses {
		if problem, ok := response.Content["application/problem+json"]; ok {
			delete(response.Content, "application/problem+json")
			response.Content["application/json"] = problem
		}
		for _, media := range response.Content {
			neverNull(media.Schema)
		}
	}
}

// neverNull marks the lists of a schema, however deep, as never null.
func neverNull(s *huma.Schema) {
	if s == nil {
		return
	}
	if s.Type == huma.TypeArray {
		s.Nullable = false
	}
	neverNull(s.Items)
	for _, property := range s.Properties {
		neverNull(property)
	}
	if additional, ok := s.AdditionalProperties.(*huma.Schema); ok {
		neverNull(additional)
	}
}
