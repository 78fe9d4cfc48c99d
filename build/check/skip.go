package check

import (
	"fmt"
	"go/ast"
	"slices"
)

func noSkip(t *Tree) []string {
	var found []string
	for _, f := range t.Files {
		for _, skip := range skips(f) {
			found = append(found, fmt.Sprintf("%s:%d skips a test", f.Path, f.Line(skip.Pos())))
		}
	}
	return found
}

// skips finds the calls that skip a test. One that gives back an input of a
// property or fuzz target (a *rapid.T, or a *testing.T with the input beside
// it) skips no test.
func skips(f *File) []ast.Node {
	var found []ast.Node
	var around []*ast.FuncType // the functions around a node, outermost first
	var stack []ast.Node
	ast.Inspect(f.Syntax, func(n ast.Node) bool {
		if n == nil {
			if kind := funcType(stack[len(stack)-1]); kind != nil {
				around = around[:len(around)-1]
			}
			stack = stack[:len(stack)-1]
			return true
		}
		stack = append(stack, n)
		if kind := funcType(n); kind != nil {
			around = append(around, kind)
		}
		if sel, ok := n.(*ast.SelectorExpr); ok && isSkip(sel, around) {
			found = append(found, sel)
		}
		return true
	})
	return found
}

// funcType gives the type of a function with a body, nil for anything else.
func funcType(n ast.Node) *ast.FuncType {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return n.Type
	case *ast.FuncLit:
		return n.Type
	}
	return nil
}

// isSkip reports whether sel is t.Skip, t.Skipf or t.SkipNow, where t is the
// only parameter of the innermost function that has it, and of package testing.
func isSkip(sel *ast.SelectorExpr, around []*ast.FuncType) bool {
	recv, ok := sel.X.(*ast.Ident)
	if !ok || !slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel.Sel.Name) {
		return false
	}
	for _, kind := range slices.Backward(around) {
		for _, field := range kind.Params.List {
			if !slices.ContainsFunc(field.Names, func(id *ast.Ident) bool { return id.Name == recv.Name }) {
				continue
			}
			return kind.Params.NumFields() == 1 && isTesting(field.Type)
		}
	}
	return false
}

// isTesting reports whether a type is a pointer to one of package testing.
func isTesting(e ast.Expr) bool {
	star, ok := e.(*ast.StarExpr)
	if !ok {
		return false
	}
	sel, ok := star.X.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	id, ok := sel.X.(*ast.Ident)
	return ok && id.Name == "testing"
}
