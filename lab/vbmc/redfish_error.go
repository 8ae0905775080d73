package vbmc

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
)

// refusal is a Redfish error answer (DSP0266 section 8.6): a status and one
// message of the Base registry.
type refusal struct {
	status  int
	message string // the registry's key, without its prefix
	text    string
	// property is the request's property that was wrong, "" for none.
	property string
}

// messageRegistry is the prefix of message IDs (DSP8011).
const messageRegistry = "Base.1.18."

// Error is the sentence for people.
func (r *refusal) Error() string { return r.text }

func refuse(status int, message, text string) *refusal {
	return &refusal{status: status, message: message, text: text}
}

// refuseProperty is a 400 about one property of the request.
func refuseProperty(message, property, text string) *refusal {
	return &refusal{status: http.StatusBadRequest, message: message, text: text, property: property}
}

// body is the error's JSON, with extended information.
func (r *refusal) body() object {
	extended := object{
		"@odata.type": "#Message.v1_2_1.Message", "MessageId": messageRegistry + r.message,
		"Message": r.text, "MessageArgs": []string{}, "Severity": "Critical", "MessageSeverity": "Critical",
		"Resolution": "Correct the request and send it again.",
	}
	if r.property != "" {
		extended["RelatedProperties"] = []string{"#/" + r.property}
	}
	return object{"error": object{
		"code": messageRegistry + r.message, "message": r.text,
		"@Message.ExtendedInfo": []object{extended},
	}}
}

// refusalOf makes any error an answer.
func refusalOf(err error) *refusal {
	var known *refusal
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, errWrongState):
		return refuse(http.StatusConflict, "ResourceInUse", "This is "+err.Error()+".")
	case errors.Is(err, errUnsupported):
		return refuse(http.StatusBadRequest, "ActionNotSupported", err.Error()+".")
	case errors.Is(err, context.DeadlineExceeded):
		return refuse(http.StatusGatewayTimeout, "OperationTimeout", err.Error())
	}
	return refuse(http.StatusInternalServerError, "InternalError", err.Error())
}

// properties decodes a JSON object whose keys must all be known.
func properties(body []byte, known ...string) (map[string]json.RawMessage, error) {
	values := map[string]json.RawMessage{}
	if len(body) == 0 {
		return values, nil
	}
	if err := json.Unmarshal(body, &values); err != nil {
		return nil, refuse(http.StatusBadRequest, "MalformedJSON", "The request's body is not a JSON object: "+err.Error()+".")
	}
	for key := range values {
		if !slices.Contains(known, key) {
			return nil, refuseProperty("PropertyUnknown", key, "The property "+key+" is not known here.")
		}
	}
	return values, nil
}

// text decodes one property that must be a string; "" when it is left out.
func text(values map[string]json.RawMessage, property string) (string, error) {
	raw, ok := values[property]
	if !ok {
		return "", nil
	}
	var value *string
	if err := json.Unmarshal(raw, &value); err != nil || value == nil {
		return "", refuseProperty("PropertyValueTypeError", property, "The property "+property+" must be a string.")
	}
	return *value, nil
}

// choice is text with a list of the values that are allowed.
func choice(values map[string]json.RawMessage, property string, allowed []string) (string, error) {
	value, err := text(values, property)
	if err != nil {
		return "", err
	}
	if _, given := values[property]; given && !slices.Contains(allowed, value) {
		return "", refuseProperty("PropertyValueNotInList", property, "The value "+value+" is not one of those that "+property+" can have.")
	}
	return value, nil
}
