package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// The limits of the style sheet. Of vars and init functions there are none at all.
const (
	maxFunction = 60
	maxFile     = 500
	maxPackage  = 1500
	maxTypes    = 8
)

// pkg is what is known of one package. The lists name what is past a limit, with its place.
type pkg struct {
	path     string
	doc      bool
	lines    int
	types    int      // exported
	exported int      // symbols: types, functions, methods of exported types, constants, variables
	spawns   int      // go statements
	bare     []string // exported symbols without a doc comment
	long     []string // functions
	big      []string // files
	vars     []string
	inits    []string

	methods  []method        // exported, without a doc comment
	promised map[string]bool // methods of the package's interfaces
}

// method is a method without a comment: in order where an interface of its package says what it does.
type method struct{ name, at string }

// settle sorts the methods without a comment, when the whole package is read.
func (p *pkg) settle() {
	for _, m := range p.methods {
		if !p.promised[m.name] {
			p.bare = append(p.bare, m.at)
		}
	}
	slices.Sort(p.bare)
}

// add counts p into the sum of all.
func (all *pkg) add(p *pkg) {
	all.lines += p.lines
	all.types += p.types
	all.exported += p.exported
	all.spawns += p.spawns
	all.bare = append(all.bare, p.bare...)
	all.long = append(all.long, p.long...)
	all.big = append(all.big, p.big...)
	all.vars = append(all.vars, p.vars...)
	all.inits = append(all.inits, p.inits...)
}

// past is a line for each limit that p passes.
func (p *pkg) past() []string {
	var out []string
	if !p.doc {
		out = append(out, p.path+": no package comment")
	}
	if p.lines > maxPackage {
		out = append(out, fmt.Sprintf("%s: %d lines, at most %d", p.path, p.lines, maxPackage))
	}
	if p.types > maxTypes {
		out = append(out, fmt.Sprintf("%s: %d exported types, at most %d", p.path, p.types, maxTypes))
	}
	for _, l := range []struct {
		what string
		list []string
	}{{"exported without a doc comment", p.bare}, {"function too long", p.long}, {"file too long", p.big}, {"package-level variable", p.vars}, {"init function", p.inits}} {
		for _, at := range l.list {
			out = append(out, at+": "+l.what)
		}
	}
	return out
}

// measure reads all packages of the module in house, by path.
func measure(house fs.FS) ([]*pkg, error) {
	found := map[string]*pkg{}
	err := fs.WalkDir(house, ".", func(name string, d fs.DirEntry, err error) error {
		switch base := path.Base(name); {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (base == "testdata" || base == "build" || base == "vendor" || base == "node_modules" || base[0] == '.' || base[0] == '_'):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || forTests(path.Dir(name)):
			return nil
		}
		p := found[path.Dir(name)]
		if p == nil {
			p = &pkg{path: path.Dir(name), promised: map[string]bool{}}
			found[p.path] = p
		}
		return p.read(house, name)
	})
	packages := slices.Collect(maps.Values(found))
	for _, p := range packages {
		p.settle()
	}
	slices.SortFunc(packages, func(a, b *pkg) int { return strings.Compare(a.path, b.path) })
	return packages, err
}

// forTests tells whether a folder holds a package for tests alone: hal/haltest.
func forTests(dir string) bool { return path.Base(dir) == path.Base(path.Dir(dir))+"test" }

// reader measures one file into p.
type reader struct {
	*pkg
	files *token.FileSet
}

func (p *pkg) read(house fs.FS, name string) error {
	text, err := fs.ReadFile(house, name)
	if err != nil {
		return err
	}
	r := reader{p, token.NewFileSet()}
	f, err := parser.ParseFile(r.files, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	lines := strings.Count(string(text), "\n")
	p.lines += lines
	p.doc = p.doc || f.Doc != nil
	if lines > maxFile {
		p.big = append(p.big, fmt.Sprintf("%s: %d lines", name, lines))
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			r.function(d, f.Name.Name == "main")
		case *ast.GenDecl:
			r.declaration(d)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			p.spawns++
		case *ast.CallExpr: // wg.Go(f)
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Go" && len(n.Args) == 1 {
				p.spawns++
			}
		case *ast.InterfaceType:
			for _, m := range n.Methods.List {
				for _, name := range m.Names {
					p.promised[name.Name] = true
				}
			}
		}
		return true
	})
	return nil
}

func (r *reader) function(d *ast.FuncDecl, main bool) {
	if d.Recv == nil && d.Name.Name == "init" {
		r.inits = append(r.inits, r.at(d.Pos(), "init"))
	}
	if lines := r.line(d.End()) - r.line(d.Pos()) + 1; lines > maxFunction {
		r.long = append(r.long, r.at(d.Pos(), fmt.Sprintf("%s, %d lines", d.Name.Name, lines)))
	}
	switch {
	case d.Recv == nil:
		r.symbol(d.Name, d.Doc)
	case !ast.IsExported(receiver(d.Recv.List[0].Type)) || d.Doc == nil && obvious(d):
	case d.Doc == nil && d.Name.IsExported():
		r.exported++
		r.methods = append(r.methods, method{d.Name.Name, r.at(d.Pos(), d.Name.Name)})
	default:
		r.symbol(d.Name, d.Doc)
	}
}

// obvious tells whether a method keeps a promise of the standard library that a comment would only
// repeat.
func obvious(d *ast.FuncDecl) bool {
	return slices.Contains([]string{"String", "Error", "Unwrap", "Is", "MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText", "Len", "Less", "Swap"}, d.Name.Name)
}

func (r *reader) declaration(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() {
				r.types++
			}
			r.symbol(spec.Name, either(spec.Doc, spec.Comment, d.Doc))
		case *ast.ValueSpec:
			for i, name := range spec.Names {
				r.symbol(name, either(spec.Doc, spec.Comment, d.Doc))
				if d.Tok == token.VAR && name.Name != "_" && !allowed(d, spec, i) {
					r.vars = append(r.vars, r.at(name.Pos(), name.Name))
				}
			}
		}
	}
}

// allowed tells whether a variable is an error sentinel or an embedded file.
func allowed(d *ast.GenDecl, spec *ast.ValueSpec, i int) bool {
	for _, doc := range []*ast.CommentGroup{d.Doc, spec.Doc} {
		if doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") }) {
			return true
		}
	}
	if i >= len(spec.Values) || !strings.HasPrefix(strings.ToLower(spec.Names[i].Name), "err") {
		return false
	}
	_, call := spec.Values[i].(*ast.CallExpr)
	return call
}

// symbol counts an exported name.
func (r *reader) symbol(name *ast.Ident, doc *ast.CommentGroup) {
	if !name.IsExported() {
		return
	}
	r.exported++
	if doc == nil {
		r.bare = append(r.bare, r.at(name.Pos(), name.Name))
	}
}

// either is the first comment that is there: of its own, at the end of the line, or of the block.
func either(docs ...*ast.CommentGroup) *ast.CommentGroup {
	for _, d := range docs {
		if d != nil {
			return d
		}
	}
	return nil
}

// receiver is the name of a method's type.
func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.IndexListExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

func (r *reader) line(p token.Pos) int { return r.files.Position(p).Line }

func (r *reader) at(p token.Pos, what string) string {
	at := r.files.Position(p)
	return fmt.Sprintf("%s:%d: %s", at.Filename, at.Line, what)
}
