package service

import (
	"context"
	_ "embed"
)

// Licences are the terms of the Go modules that are compiled in, for all systems
// together; build/licences writes them.
//
//go:embed licences.txt
var Licences string

// Terms are the licences of others' work in the program, but for that in the pages,
// which bring their own.
type Terms struct {
	Text string `json:"text"`
}

// Terms gives the licences of what is compiled in.
func (s *Service) Terms(context.Context) (Terms, error) { return Terms{Licences}, nil }
