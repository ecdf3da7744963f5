package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// syntax holds the tree of one file against the rules of the whole house, and of pure packages.
func (c *checker) syntax(s *source) {
	for _, d := range s.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == "init" {
				c.add(d.Pos(), ruleInit, "no init functions: main sets up what it needs, in order")
			}
		case *ast.GenDecl:
			if d.Tok == token.VAR {
				c.vars(s, d)
			}
		}
	}
	pure := under(s.pkg, purePackages()...)
	ast.Inspect(s.File, func(n ast.Node) bool {
		if call, ok := n.(*ast.SelectorExpr); ok {
			c.selector(s, call, pure)
		}
		if what := waits(n); pure && what != "" {
			c.add(n.Pos(), rulePure, fmt.Sprintf("%s is pure: it has no %s", s.pkg, what))
		}
		return true
	})
}

// waits is the name of what n does that only a running program can: "" for nothing.
func waits(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "go statement"
	case *ast.ChanType:
		return "channel"
	case *ast.SendStmt:
		return "sending on a channel"
	case *ast.SelectStmt:
		return "select"
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			return "receiving from a channel"
		}
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.Ident); ok && f.Obj == nil && (f.Name == "print" || f.Name == "println") {
			return "printing"
		}
	}
	return ""
}

// selector checks a name of another package: time.Now, os.Exit.
func (c *checker) selector(s *source, e *ast.SelectorExpr, pure bool) {
	x, ok := e.X.(*ast.Ident)
	if !ok || x.Obj != nil { // Obj: a variable of that name hides the package
		return
	}
	pkg, name := s.imports[x.Name], e.Sel.Name
	switch {
	case pure && pkg == "time" && slices.Contains(clock(), name):
		c.add(e.Pos(), ruleClock, fmt.Sprintf("%s is pure: the time comes in, time.%s stays out", s.pkg, name))
	case pure && pkg == "fmt" && (strings.HasPrefix(name, "Print") || strings.HasPrefix(name, "Scan")):
		c.add(e.Pos(), rulePure, fmt.Sprintf("%s is pure: it has no fmt.%s", s.pkg, name))
	case pkg == "time" && name == "Sleep":
		c.add(e.Pos(), ruleSleep, "nobody sleeps: wait for what is meant, and for ctx")
	case s.Name.Name == "main":
	case pkg == "os" && name == "Exit", pkg == "log" && (strings.HasPrefix(name, "Fatal") || strings.HasPrefix(name, "Panic")):
		c.add(e.Pos(), ruleExit, fmt.Sprintf("only main ends the program: %s.%s", pkg, name))
	}
}

// vars allows error sentinels, assertions to _ and embedded files.
func (c *checker) vars(s *source, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		if embeds(d.Doc) || embeds(v.Doc) {
			continue
		}
		for i, name := range v.Names {
			if name.Name == "_" || i < len(v.Values) && c.sentinel(s, name.Name, v.Values[i]) {
				continue
			}
			c.add(name.Pos(), ruleVar, fmt.Sprintf("no package-level variables: %s belongs to somebody", name.Name))
		}
	}
}

// sentinel tells whether name is an error that is made once.
func (c *checker) sentinel(s *source, name string, value ast.Expr) bool {
	call, ok := value.(*ast.CallExpr)
	if !ok || !strings.HasPrefix(name, "Err") && !strings.HasPrefix(name, "err") {
		return false
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := f.X.(*ast.Ident)
	return ok && (s.imports[x.Name] == "errors" && f.Sel.Name == "New" || s.imports[x.Name] == "fmt" && f.Sel.Name == "Errorf")
}

func embeds(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}
