package hypervisor

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
)

// document is a domain's XML whose elements can be replaced while all else stays byte for byte: libvirt knows more than
// any struct of it, and a domain that was adopted is somebody else's work.
type document struct {
	text  string
	root  *element
	edits []edit
}

// element is where an element is in the text.
type element struct {
	name       string
	attrs      []xml.Attr
	start, end int // of the whole element
	open       int // behind the start tag
	close      int // before the end tag; open where the element is one tag
	children   []*element
	body       string // its text, without the children's
}

// edit replaces a part of the text.
type edit struct {
	from, to int
	text     string
}

// parse reads a document.
func parse(text string) (*document, error) {
	decoder := xml.NewDecoder(strings.NewReader(text))
	var stack []*element
	var root *element
	for {
		before := int(decoder.InputOffset())
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("cannot read a domain's XML: %w", err)
		}
		after := int(decoder.InputOffset())
		switch t := token.(type) {
		case xml.StartElement:
			e := &element{name: qualified(t.Name), attrs: slices.Clone(t.Attr), start: before, open: after}
			if len(stack) > 0 {
				parent := stack[len(stack)-1]
				parent.children = append(parent.children, e)
			} else if root == nil {
				root = e
			}
			stack = append(stack, e)
		case xml.EndElement:
			if len(stack) == 0 || stack[len(stack)-1].name != qualified(t.Name) {
				return nil, fmt.Errorf("cannot read a domain's XML: </%s> ends nothing", qualified(t.Name))
			}
			e := stack[len(stack)-1]
			e.close, e.end = before, after
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].body += string(t)
			}
		}
	}
	if root == nil || len(stack) > 0 {
		return nil, errors.New("cannot read a domain's XML: it is not whole")
	}
	return &document{text: text, root: root}, nil
}

func qualified(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

// attr is an attribute's value; "" where there is none.
func (e *element) attr(name string) string {
	if e == nil {
		return ""
	}
	for _, a := range e.attrs {
		if qualified(a.Name) == name {
			return a.Value
		}
	}
	return ""
}

// text is what is in an element beside others.
func (e *element) text() string {
	if e == nil {
		return ""
	}
	return strings.TrimSpace(e.body)
}

// child is the first child of a name; nil where there is none.
func (e *element) child(name string) *element {
	if e == nil {
		return nil
	}
	for _, c := range e.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// at follows names down from the root.
func (d *document) at(path ...string) *element {
	e := d.root
	for _, name := range path {
		e = e.child(name)
	}
	return e
}

// hasConsole says whether the machine has a serial port that people can sit at.
func (d *document) hasConsole() bool {
	devices := d.at("devices")
	return devices.child("serial") != nil || devices.child("console") != nil
}

// vnc is where the host shows the machine's screen, HOST:PORT; "" where it does not, or not now.
func (d *document) vnc() string {
	for _, e := range d.at("devices").list() {
		if e.name == "graphics" && e.attr("type") == "vnc" && e.attr("port") != "" && e.attr("port") != "-1" {
			return net.JoinHostPort(e.attr("listen"), e.attr("port"))
		}
	}
	return ""
}

// source is an element's text in the document.
func (d *document) source(e *element) string { return d.text[e.start:e.end] }

// replace puts text in the place of an element; "" takes it out.
func (d *document) replace(e *element, text string) {
	d.edits = append(d.edits, edit{from: e.start, to: e.end, text: text})
}

// add puts text behind an element's children.
func (d *document) add(e *element, text string) {
	if e.open == e.end { // <e/>
		slash := strings.LastIndex(d.text[e.start:e.open], "/")
		d.edits = append(d.edits, edit{from: e.start + slash, to: e.open, text: ">" + text + "</" + e.name + ">"})
		return
	}
	d.edits = append(d.edits, edit{from: e.close, to: e.close, text: text})
}

// String is the document with its edits, which must not overlap; those at one place are in the order of their making.
func (d *document) String() string {
	edits := slices.Clone(d.edits)
	slices.SortStableFunc(edits, func(a, b edit) int { return a.from - b.from })
	var out strings.Builder
	at := 0
	for _, e := range edits {
		out.WriteString(d.text[at:e.from])
		out.WriteString(e.text)
		at = e.to
	}
	out.WriteString(d.text[at:])
	return out.String()
}

// escape makes text safe inside an element or an attribute.
func escape(text string) string {
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(text)) // a strings.Builder takes everything
	return out.String()
}
