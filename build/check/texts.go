package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"io/fs"
	"regexp"
	"strconv"
)

// languages lists the catalogues of texts.
var languages = []string{"app/text/en.json", "app/text/de.json"}

// codeForm is the form of a fault.Code: lower-case words joined by hyphens.
var codeForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)

// codesHaveTexts demands that each catalogue names every fault.Code that the
// program can raise.
func codesHaveTexts(t *Tree) []string {
	codes := raisedCodes(t)
	if len(codes) == 0 {
		return nil
	}
	var found []string
	for _, catalogue := range languages {
		texts, err := readCatalogue(t.Root, catalogue)
		if err != nil {
			found = append(found, err.Error())
			continue
		}
		for code, where := range codes {
			if !texts[code] {
				found = append(found, fmt.Sprintf("%s raises %q, which has no text in %s", where, code, catalogue))
			}
		}
	}
	return found
}

// readCatalogue gives the names under which a catalogue holds texts, at any
// depth of its JSON.
func readCatalogue(root fs.FS, name string) (map[string]bool, error) {
	raw, err := fs.ReadFile(root, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing, and conditions are raised", name)
	}
	if err != nil {
		return nil, err
	}
	var document any
	if err := json.Unmarshal(raw, &document); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	names := map[string]bool{}
	collectNames(document, names)
	return names, nil
}

func collectNames(node any, into map[string]bool) {
	switch node := node.(type) {
	case map[string]any:
		for key, child := range node {
			into[key] = true
			collectNames(child, into)
		}
	case []any:
		for _, child := range node {
			collectNames(child, into)
		}
	}
}

// raisedCodes gives every fault.Code written in code, and one place where it
// stands: the argument of fault.New and fault.Wrap, the field Code of a
// literal, a constant of type fault.Code, and a conversion to it.
func raisedCodes(t *Tree) map[string]string {
	codes := map[string]string{}
	for _, f := range t.Files {
		if f.IsTest() {
			continue
		}
		note := func(e ast.Expr) {
			if code, ok := stringValue(e); ok && codeForm.MatchString(code) {
				codes[code] = fmt.Sprintf("%s:%d", f.Path, f.Line(e.Pos()))
			}
		}
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			eachCode(n, note)
			return true
		})
	}
	return codes
}

// eachCode calls note for the expressions of one node that are codes.
func eachCode(n ast.Node, note func(ast.Expr)) {
	switch n := n.(type) {
	case *ast.CallExpr:
		switch {
		case isName(n.Fun, "New") || isName(n.Fun, "Wrap"):
			if isFault(n.Fun) && len(n.Args) > 1 {
				note(n.Args[1])
			}
		case isName(n.Fun, "Code") && isFault(n.Fun) && len(n.Args) == 1:
			note(n.Args[0])
		}
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Code" {
			note(n.Value)
		}
	case *ast.ValueSpec:
		if n.Type != nil && isName(n.Type, "Code") && isFault(n.Type) {
			for _, v := range n.Values {
				note(v)
			}
		}
	}
}

func isName(e ast.Expr, name string) bool {
	sel, ok := e.(*ast.SelectorExpr)
	return ok && sel.Sel.Name == name
}

func isFault(e ast.Expr) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	id, ok := sel.X.(*ast.Ident)
	return ok && id.Name == "fault"
}

func stringValue(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}
