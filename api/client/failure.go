package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-metal/ingot"
)

// failure is an answer that is none as an error. Ironic puts a JSON document into a string of a JSON document; the
// inner one has a faultstring, or from its web framework a title and a description.
func failure(req *http.Request, res *http.Response, text []byte) error {
	sentence := sentenceOf(text)
	if sentence == "" {
		sentence = fmt.Sprintf("%s %s: %s", req.Method, req.URL.Path, res.Status)
	}
	e := &ingot.Error{Code: codeOf(res.StatusCode), Err: errors.New(sentence)}
	if e.Code == ingot.Conflict && strings.Contains(sentence, "is locked by host") {
		e.Code = ingot.Locked
	}
	if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.After = time.Duration(seconds) * time.Second
	}
	return e
}

// sentenceOf digs for the sentence in an error's body; "" when there is none.
func sentenceOf(text []byte) string {
	var outer struct {
		Message json.RawMessage `json:"error_message"`
		Fault   string          `json:"faultstring"`
		Error   struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(text, &outer) != nil {
		return ""
	}
	if len(outer.Message) == 0 {
		return outer.Fault + outer.Error.Message
	}
	inner := []byte(outer.Message)
	var quoted string
	if json.Unmarshal(inner, &quoted) == nil {
		inner = []byte(quoted)
	}
	var fault struct {
		Fault       string `json:"faultstring"`
		Title       string `json:"title"`
		Description string `json:"description"`
	}
	switch {
	case json.Unmarshal(inner, &fault) != nil:
		return quoted
	case fault.Fault != "":
		return fault.Fault
	case fault.Description != "":
		return fault.Description
	}
	return fault.Title
}

func codeOf(status int) ingot.Code {
	switch status {
	case http.StatusBadRequest:
		return ingot.Invalid
	case http.StatusUnauthorized:
		return ingot.Unauthorized
	case http.StatusForbidden:
		return ingot.Forbidden
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return ingot.NotFound
	case http.StatusNotAcceptable:
		return ingot.NotAcceptable
	case http.StatusConflict:
		return ingot.Conflict
	case http.StatusRequestEntityTooLarge:
		return ingot.TooLarge
	case http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout, http.StatusTooManyRequests:
		return ingot.Unavailable
	}
	return ingot.Internal
}
