package text

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A sentence of the catalogue is plain text with three kinds of marks:
//
//	{name}            the value of a parameter
//	{name|one|many}   a number: "one" where it is 1, else "many", in which #
//	                  stands for the number
//	[...]             left out where a parameter in it has no value
//
// Values travel as programs write them, and are put into words here: times are
// RFC 3339, sizes are bytes, spans are seconds, lists have one entry on each
// line.

// filler fills one sentence.
type filler struct {
	params   map[string]string
	language string
	now      time.Time
}

// fill gives the sentence without space around it, and false where a value is
// lacking outside of brackets.
func (f filler) fill(s string) (string, bool) {
	s, complete := f.part(s)
	return strings.TrimSpace(s), complete
}

func (f filler) part(s string) (string, bool) {
	var b strings.Builder
	complete := true
	for s != "" {
		i := strings.IndexAny(s, "[{")
		if i < 0 {
			b.WriteString(s)
			break
		}
		b.WriteString(s[:i])
		inner, rest, found := strings.Cut(s[i+1:], map[byte]string{'[': "]", '{': "}"}[s[i]])
		if !found {
			return "", false
		}
		if s[i] == '[' {
			if part, ok := f.part(inner); ok {
				b.WriteString(part)
			}
		} else {
			value, ok := f.value(inner)
			b.WriteString(value)
			complete = complete && ok
		}
		s = rest
	}
	return b.String(), complete
}

// value puts one parameter into words.
func (f filler) value(mark string) (string, bool) {
	name, forms, plural := strings.Cut(mark, "|")
	raw, ok := f.params[name]
	if !ok {
		return "", false
	}
	if plural {
		one, many, _ := strings.Cut(forms, "|")
		if raw == "1" {
			return one, true
		}
		return strings.ReplaceAll(many, "#", f.number(raw)), true
	}
	switch name {
	case "n", "total", "done":
		return f.number(raw), true
	case "need", "free", "max", "size":
		return f.size(raw), true
	case "time", "date":
		return f.time(raw), true
	case "span", "eta":
		return f.span(raw), true
	case "devices":
		return f.list(raw), true
	}
	return Clean(raw), true
}

// Clean gives text from elsewhere without what would move a terminal's cursor
// or turn the direction of writing around.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
}

func (f filler) german() bool { return f.language == "de" }

// number groups the digits of a number.
func (f filler) number(raw string) string {
	separator := ","
	if f.german() {
		separator = "."
	}
	if _, err := strconv.ParseUint(raw, 10, 64); err != nil {
		return Clean(raw)
	}
	for i := len(raw) - 3; i > 0; i -= 3 {
		raw = raw[:i] + separator + raw[i:]
	}
	return raw
}

// size gives bytes with one digit after the point, as in "1.2 GB".
func (f filler) size(raw string) string {
	n, err := strconv.ParseUint(raw, 10, 64)
	if err != nil {
		return Clean(raw)
	}
	if n < 1000 {
		return raw + " B"
	}
	value, unit := float64(n)/1000, 0
	for value >= 999.95 && unit < len(units)-1 {
		value, unit = value/1000, unit+1
	}
	s := strings.TrimSuffix(strconv.FormatFloat(value, 'f', 1, 64), ".0")
	if f.german() {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s + " " + units[unit]
}

var units = []string{"kB", "MB", "GB", "TB", "PB", "EB"}

// time gives an instant in the zone of now: the time of day where that is
// today, else date and time.
func (f filler) time(raw string) string {
	t, err := time.Parse(time.RFC3339Nano, raw)
	if err != nil {
		return Clean(raw)
	}
	t = t.In(f.now.Location())
	day, clock := "2006-01-02", "15:04"
	if f.german() {
		day = "02.01.2006"
	}
	if t.Format(day) == f.now.Format(day) {
		return t.Format(clock)
	}
	return t.Format(day + " " + clock)
}

// span gives a number of seconds to the two largest units.
func (f filler) span(raw string) string {
	seconds, err := strconv.ParseInt(raw, 10, 64)
	if err != nil {
		return Clean(raw)
	}
	d := "d"
	if f.german() {
		d = "T"
	}
	days, h, m, s := seconds/86400, seconds/3600%24, seconds/60%60, seconds%60
	part := func(n int64, unit string) string { return strconv.FormatInt(n, 10) + " " + unit }
	switch {
	case days > 0:
		return part(days, d) + " " + part(h, "h")
	case h > 0:
		return part(h, "h") + " " + part(m, "min")
	case m > 0:
		return part(m, "min") + " " + part(s, "s")
	}
	return part(s, "s")
}

// list joins names.
func (f filler) list(raw string) string {
	names := strings.Split(raw, "\n")
	for i := range names {
		names[i] = Clean(names[i])
	}
	and := " and "
	if f.german() {
		and = " und "
	}
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + and + names[last]
}
