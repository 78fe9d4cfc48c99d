package check

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Module is the path of this module, the prefix of all its import paths.
const Module = "lanyard"

// File is one parsed Go file.
type File struct {
	Path   string // from the root of the repository, slash-separated
	Text   string
	Syntax *ast.File
	fset   *token.FileSet
}

// Dir gives the directory of f: its import path without the module.
func (f *File) Dir() string { return path.Dir(f.Path) }

// IsTest reports whether f is compiled for tests only.
func (f *File) IsTest() bool { return strings.HasSuffix(f.Path, "_test.go") }

// Imports lists the import paths of f.
func (f *File) Imports() []string {
	var paths []string
	for _, spec := range f.Syntax.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

// OwnImports lists the packages of this module that f imports, by directory;
// the root package is ".".
func (f *File) OwnImports() []string {
	var dirs []string
	for _, p := range f.Imports() {
		if p == Module {
			dirs = append(dirs, ".")
		} else if dir, ok := strings.CutPrefix(p, Module+"/"); ok {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// Line gives the line of a position in f.
func (f *File) Line(p token.Pos) int { return f.fset.Position(p).Line }

// Tree is a repository: all its Go files, and the root for everything else.
type Tree struct {
	Root  fs.FS
	Files []*File
}

// Load parses every Go file below root, without version control, build
// output, test data and what npm installed.
func Load(root fs.FS) (*Tree, error) {
	t := &Tree{Root: root}
	fset := token.NewFileSet()
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && leftOut(name):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		syntax, err := parser.ParseFile(fset, name, text, parser.ParseComments)
		if err != nil {
			return fmt.Errorf("parse %s: %w", name, err)
		}
		t.Files = append(t.Files, &File{Path: name, Text: string(text), Syntax: syntax, fset: fset})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load the tree: %w", err)
	}
	return t, nil
}

// leftOut reports whether a directory holds nothing that rules are about.
func leftOut(dir string) bool {
	switch dir {
	case ".git", "build/bin", "build/cache", "frontend/node_modules", "frontend/dist":
		return true
	}
	return path.Base(dir) == "testdata"
}

// Packages groups the files by directory.
func (t *Tree) Packages() map[string][]*File {
	packages := map[string][]*File{}
	for _, f := range t.Files {
		packages[f.Dir()] = append(packages[f.Dir()], f)
	}
	return packages
}
