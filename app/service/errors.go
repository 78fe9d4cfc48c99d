package service

import (
	"context"
	"errors"
	"net/http"

	"lanyard/app/config"
	"lanyard/app/text"
	"lanyard/sync/fault"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// Error is an error as it travels to the one who asked.
type Error struct {
	Status int    `json:"-"` // HTTP status
	Code   string `json:"code" doc:"name of the condition, empty where it has none"`
	Text   string `json:"text" doc:"one sentence"`
	Remedy string `json:"remedy" doc:"what to do, may be empty"`
	Item   string `json:"item" doc:"what it is about, may be empty"`
	// Param holds what the sentences of the code name besides the item, as far as
	// it is known.
	Param map[string]string `json:"param,omitempty"`
}

// Error gives the text and the remedy.
func (e *Error) Error() string {
	if e.Remedy == "" {
		return e.Text
	}
	return e.Text + ": " + e.Remedy
}

// GetStatus gives the HTTP status.
func (e *Error) GetStatus() int { return e.Status }

// Describe gives any error as an Error, nil for nil.
func Describe(err error) *Error {
	if err == nil {
		return nil
	}
	var described *Error
	if errors.As(err, &described) {
		return described
	}
	var refusal *config.Refusal
	if errors.As(err, &refusal) {
		return &Error{
			Status: statusOfReason(refusal.Reason),
			Code:   string(refusal.Code),
			Text:   refusal.Text,
			Remedy: refusal.Remedy,
			Item:   refusal.Item,
		}
	}
	out := &Error{Status: statusOf(err), Code: string(fault.CodeOf(err)), Text: err.Error(), Param: fault.DataOf(err)}
	var f *fault.Error
	if errors.As(err, &f) {
		out.Item = f.Item
	}
	inWords(out, err)
	return out
}

// What the engine may refuse without a name of its own for it: it concerns one
// request alone, and pages say it in their language.
const (
	codeNotTold      fault.Code = "offer-not-told"
	codeNotChoosable fault.Code = "choice-not-possible"
	codeNotTwo       fault.Code = "versions-not-two"
	codeNoVersions   fault.Code = "versions-none"
	codeHeldChanged  fault.Code = "held-changed"
	codeRulesRefused fault.Code = "rules-refused"
	codeNotRunning   fault.Code = "folder-not-running"
)

// named gives a refusal that has no name the one of what was asked for; other
// errors stay as they are.
func named(err error, code fault.Code) error {
	if err == nil || fault.CodeOf(err) != "" || fault.KindOf(err) != fault.Item && fault.KindOf(err) != fault.Retry {
		return err
	}
	d := Describe(err)
	d.Code = string(code)
	return d
}

// inWords puts an error that stops a folder into the catalogue's sentences.
// Others keep their own, which tell more: which file, and why.
func inWords(out *Error, err error) {
	if fault.KindOf(err) != fault.Folder {
		return
	}
	words, loadErr := text.Load("en")
	if loadErr != nil {
		return // the error's own text stays
	}
	p := status.Problem{Code: fault.CodeOf(err), Text: out.Text, Param: fault.DataOf(err)}
	if words.Problems[p.Code].Severity == status.Stop {
		words.Word(&p)
		out.Text, out.Remedy = p.Text, p.Remedy
	}
}

func statusOfReason(r config.Reason) int {
	switch r {
	case config.NotFound:
		return http.StatusNotFound
	case config.Exists:
		return http.StatusConflict
	case config.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusUnprocessableEntity
	}
}

func statusOf(err error) int {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	case errors.Is(err, context.Canceled):
		return http.StatusServiceUnavailable
	}
	switch fault.KindOf(err) {
	case fault.Retry:
		return http.StatusServiceUnavailable
	case fault.Item, fault.Folder:
		return http.StatusConflict
	default:
		return http.StatusInternalServerError
	}
}

func notAnID(err error) error {
	return &config.Refusal{
		Reason: config.Invalid, Code: "device-id-invalid",
		Text:   err.Error(),
		Remedy: `copy it from "lanyard id" on the other device`,
	}
}

// parsePath reads a name inside a folder as a person writes it: in any normal
// form, and with a slash at its end if they like.
func parsePath(text string) (relpath.Path, error) {
	p, err := relpath.Parse(relpath.Normal(trimSlash(text)))
	if err != nil {
		return p, &config.Refusal{
			Reason: config.Invalid, Code: "path-invalid", Item: text,
			Text:   err.Error(),
			Remedy: "write it as it stands inside the folder, such as docs/plan.txt",
		}
	}
	return p, nil
}

func trimSlash(s string) string {
	if len(s) > 1 && s[len(s)-1] == '/' {
		return s[:len(s)-1]
	}
	return s
}
