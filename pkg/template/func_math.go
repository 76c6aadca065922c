package template

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/value"
)

// maxItems bounds what until, seq and their like make, and range over a number.
const maxItems = 1_000_000

// mathTable: arithmetic over ints and floats. Texts that are numbers count as
// numbers, because -e and INI inventories can give text only; ints stay ints.
func mathTable() []*function {
	table := []*function{
		arithmetic("add", 1, addInt, func(x, y float64) float64 { return x + y }),
		arithmetic("sub", 2, subInt, func(x, y float64) float64 { return x - y }),
		arithmetic("mul", 1, mulInt, func(x, y float64) float64 { return x * y }),
		arithmetic("div", 2, divInt, func(x, y float64) float64 { return x / y }),
		arithmetic("mod", 2, modInt, math.Mod),
		{name: "add1", min: 1, max: 1, call: func(_ *run, a []any) (any, error) {
			return fold([]any{a[0], 1}, addInt, func(x, y float64) float64 { return x + y })
		}},
		{name: "add1f", min: 1, max: 1, call: func(_ *run, a []any) (any, error) { return foldFloat([]any{a[0], 1}, '+') }},
		{name: "sum", min: 1, max: 1, call: sum},
		{name: "int", min: 1, max: 1, call: func(_ *run, a []any) (any, error) { return toInt(a[0]) }},
		{name: "float", min: 1, max: 1, call: func(_ *run, a []any) (any, error) { return toFloat(a[0]) }},
		{name: "round", min: 1, max: 2, call: round},
		{name: "floor", min: 1, max: 1, call: func(_ *run, a []any) (any, error) { return rounded(a[0], math.Floor) }},
		{name: "ceil", min: 1, max: 1, call: func(_ *run, a []any) (any, error) { return rounded(a[0], math.Ceil) }},
		{name: "until", min: 1, max: 1, call: func(_ *run, a []any) (any, error) { return steps(0, a[0], nil, false) }},
		{name: "untilStep", min: 3, max: 3, call: func(_ *run, a []any) (any, error) { return steps(a[0], a[1], a[2], false) }},
		{name: "seq", min: 1, max: 3, call: seq},
	}
	for name, op := range map[string]byte{"addf": '+', "subf": '-', "mulf": '*', "divf": '/'} {
		table = append(table, &function{name: name, min: 1, max: -1, call: func(_ *run, a []any) (any, error) { return foldFloat(a, op) }})
	}
	for _, name := range []string{"max", "biggest", "maxf"} {
		table = append(table, &function{name: name, min: 1, max: -1, call: func(_ *run, a []any) (any, error) { return extreme(spread(a), 1) }})
	}
	for _, name := range []string{"min", "minf"} {
		table = append(table, &function{name: name, min: 1, max: -1, call: func(_ *run, a []any) (any, error) { return extreme(spread(a), -1) }})
	}
	return append(table, alias(table, "int64", "int"), alias(table, "atoi", "int"), alias(table, "float64", "float"))
}

// alias is a function under another name.
func alias(table []*function, name, of string) *function {
	for _, f := range table {
		if f.name == of {
			twin := *f
			twin.name = name
			return &twin
		}
	}
	panic("template: no function " + of)
}

func arithmetic(name string, least int, ints func(x, y int) (int, error), floats func(x, y float64) float64) *function {
	f := &function{name: name, min: least, max: -1, call: func(_ *run, a []any) (any, error) { return fold(a, ints, floats) }}
	if name == "sub" || name == "div" || name == "mod" {
		f.max = 2
	}
	return f
}

var errOverflow = errors.New("the result is too large")

func addInt(x, y int) (int, error) {
	if z := x + y; (z > x) == (y > 0) {
		return z, nil
	}
	return 0, errOverflow
}

func subInt(x, y int) (int, error) {
	if z := x - y; (z < x) == (y > 0) {
		return z, nil
	}
	return 0, errOverflow
}

func mulInt(x, y int) (int, error) {
	if x == 0 || y == 0 {
		return 0, nil
	}
	if z := x * y; z/y == x && !(x == -1 && y == math.MinInt) && !(y == -1 && x == math.MinInt) {
		return z, nil
	}
	return 0, errOverflow
}

var errZero = errors.New("division by zero")

func divInt(x, y int) (int, error) {
	if y == 0 {
		return 0, errZero
	}
	return x / y, nil
}

func modInt(x, y int) (int, error) {
	if y == 0 {
		return 0, errZero
	}
	return x % y, nil
}

// numeric is a number, or text that is one.
func numeric(v any) (any, error) {
	switch x := v.(type) {
	case int, float64:
		return x, nil
	case string:
		if i, err := strconv.Atoi(strings.TrimSpace(x)); err == nil {
			return i, nil
		}
		if f, err := strconv.ParseFloat(strings.TrimSpace(x), 64); err == nil {
			return f, nil
		}
		return nil, errors.New("the text is not a number")
	}
	return nil, wanted(false, "a number", v)
}

// fold applies an operation from left to right, in ints as long as all are.
func fold(a []any, ints func(x, y int) (int, error), floats func(x, y float64) float64) (any, error) {
	var acc any
	for i, v := range a {
		n, err := numeric(v)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			acc = n
			continue
		}
		x, xInt := acc.(int)
		y, yInt := n.(int)
		if xInt && yInt {
			if acc, err = ints(x, y); err != nil {
				return nil, err
			}
			continue
		}
		fx, _ := value.Float(acc)
		fy, _ := value.Float(n)
		if acc, err = finite(floats(fx, fy)); err != nil {
			return nil, err
		}
	}
	return acc, nil
}

func finite(f float64) (any, error) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, errors.New("the result is not a number (division by zero, or too large)")
	}
	return f, nil
}

// foldFloat is sprig's …f arithmetic: always a float.
func foldFloat(a []any, op byte) (any, error) {
	acc := 0.0
	for i, v := range a {
		n, err := numeric(v)
		if err != nil {
			return nil, err
		}
		f, _ := value.Float(n)
		switch {
		case i == 0:
			acc = f
		case op == '+':
			acc += f
		case op == '-':
			acc -= f
		case op == '*':
			acc *= f
		case op == '/':
			acc /= f
		}
	}
	return finite(acc)
}

func sum(_ *run, a []any) (any, error) {
	list, err := listOf(a[0])
	if err != nil {
		return nil, err
	}
	return fold(append([]any{0}, list...), addInt, func(x, y float64) float64 { return x + y })
}

// toInt cuts decimals off, as Ansible's int does; what is no number is an
// error, not 0.
func toInt(v any) (any, error) {
	if b, ok := v.(bool); ok {
		if b {
			return 1, nil
		}
		return 0, nil
	}
	n, err := numeric(v)
	if f, ok := n.(float64); ok && err == nil {
		if math.Abs(f) >= math.MaxInt64 {
			return nil, errOverflow
		}
		return int(f), nil
	}
	return n, err
}

func toFloat(v any) (any, error) {
	n, err := numeric(v)
	f, _ := value.Float(n)
	return f, err
}

// round is sprig's: the number first, then the decimals (0 when left out).
func round(_ *run, a []any) (any, error) {
	places := 0
	if len(a) == 2 {
		var err error
		if places, err = wholeNumber(a[1]); err != nil {
			return nil, err
		}
		if places < 0 || places > 15 {
			return nil, fmt.Errorf("0 to 15 decimals, not %d", places)
		}
	}
	scale := math.Pow10(places)
	return rounded(a[0], func(f float64) float64 { return math.Round(f*scale) / scale })
}

func rounded(v any, f func(float64) float64) (any, error) {
	n, err := numeric(v)
	if err != nil {
		return nil, err
	}
	x, _ := value.Float(n)
	return finite(f(x))
}

func extreme(list []any, sign int) (any, error) {
	if len(list) == 0 {
		return nil, errors.New("the list is empty")
	}
	best := list[0]
	for _, v := range list {
		c, ok := value.Compare(v, best)
		if !ok {
			return nil, fmt.Errorf("%s and %s have no order", describe(v), describe(best))
		}
		if c*sign > 0 {
			best = v
		}
	}
	return best, nil
}

// seq counts as the command does: seq LAST, FIRST LAST, or FIRST STEP LAST. It
// gives text with spaces between, as sprig's does.
func seq(_ *run, a []any) (any, error) {
	first, step, end := any(1), any(nil), a[len(a)-1]
	if len(a) > 1 {
		first = a[0]
	}
	if len(a) == 3 {
		step = a[1]
	}
	list, err := steps(first, end, step, true)
	if err != nil {
		return nil, err
	}
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = value.Text(v)
	}
	return strings.Join(words, " "), nil
}

// steps lists numbers from start to stop; without a step it goes by 1 in the
// right direction.
func steps(from, to, by any, inclusive bool) ([]any, error) {
	var n [3]int
	for i, v := range []any{from, to, by} {
		if v == nil {
			continue
		}
		var err error
		if n[i], err = wholeNumber(v); err != nil {
			return nil, err
		}
	}
	start, stop, step := n[0], n[1], n[2]
	if by == nil {
		step = 1
		if stop < start {
			step = -1
		}
	}
	if step == 0 || step > 0 && stop < start || step < 0 && stop > start {
		return []any{}, nil
	}
	if inclusive {
		stop += step / max(step, -step)
	}
	span := math.Abs(float64(stop) - float64(start))
	if span/math.Abs(float64(step)) > maxItems {
		return nil, fmt.Errorf("more than %d numbers", maxItems)
	}
	out := []any{}
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		out = append(out, i)
	}
	return out, nil
}
