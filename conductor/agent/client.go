// Package agent speaks Ironic's ramdisk protocol to the agent on a node: the command API of ironic-python-agent, which
// Ingot's own agent has too. There is one code path for both.
package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ingot-metal/ingot"
)

// Client sends commands to agents. Its zero value is ready; one serves all nodes.
type Client struct {
	Patience time.Duration // for one request; 0 is Ironic's command_timeout, 60 s
	// Insecure lets an agent without a certificate of its own (agent_verify_ca) be spoken to over plain HTTP.
	Insecure bool
}

// maxAnswer bounds what an agent may answer, in bytes: its command list carries logs and inventories.
const maxAnswer = 64 << 20

// Commands lists the commands that the agent knows of, oldest first: GET {agent}/v1/commands/.
func (c *Client) Commands(ctx context.Context, node *ingot.Node) ([]ingot.AgentCommand, error) {
	var answer struct {
		Commands []ingot.AgentCommand `json:"commands"`
	}
	if err := c.do(ctx, node, http.MethodGet, "", nil, &answer); err != nil {
		return nil, err
	}
	return answer.Commands, nil
}

// Send gives the agent a command: POST {agent}/v1/commands/?wait=. An agent that is busy with another one is Locked.
func (c *Client) Send(ctx context.Context, node *ingot.Node, request ingot.AgentRequest, wait bool) (ingot.AgentCommand, error) {
	var command ingot.AgentCommand
	body, err := json.Marshal(request)
	if err != nil {
		return command, ingot.Fatalf("cannot encode agent command %s: %w", request.Name, err)
	}
	err = c.do(ctx, node, http.MethodPost, fmt.Sprintf("wait=%t", wait), body, &command)
	return command, err
}

// do makes one request and reads its answer.
func (c *Client) do(ctx context.Context, node *ingot.Node, method, query string, body []byte, answer any) error {
	patience := c.Patience
	if patience == 0 {
		patience = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	response, err := c.send(ctx, node, method, "commands/", query, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("cannot read the answer of the agent at %s: %w", node.Agent.URL, err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return statusError(node, response.StatusCode, data)
	}
	if err := json.Unmarshal(data, answer); err != nil {
		return ingot.Fatalf("cannot read the answer of the agent at %s: %w", node.Agent.URL, err)
	}
	return nil
}

// send makes one request, over a connection of its own, which ends with the answer's body.
func (c *Client) send(ctx context.Context, node *ingot.Node, method, place, query string, body []byte) (*http.Response, error) {
	request, err := c.request(ctx, node, method, place, query, body)
	if err != nil {
		return nil, err
	}
	client, err := c.httpClient(node)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, connectError(node, err)
	}
	return response, nil
}

func (c *Client) request(ctx context.Context, node *ingot.Node, method, place, query string, body []byte) (*http.Request, error) {
	base, err := url.Parse(node.Agent.URL)
	if err != nil || base.Host == "" {
		return nil, ingot.Fatalf("cannot reach the agent: %q is not a URL", node.Agent.URL)
	}
	if base.Scheme != "https" && !c.Insecure {
		return nil, ingot.Fatalf("cannot speak to the agent at %s: its API has no TLS; set agent.require_tls = false to allow that", node.Agent.URL)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, ingot.Fatalf("cannot reach the agent: %w", err)
	}
	values.Set("agent_token", node.Agent.Token.Reveal())
	base.Path, base.RawQuery = strings.TrimSuffix(base.Path, "/")+"/v1/"+place, values.Encode()
	request, err := http.NewRequestWithContext(ctx, method, base.String(), bytes.NewReader(body))
	if err != nil {
		return nil, ingot.Fatalf("cannot reach the agent: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	return request, nil
}

// httpClient trusts the one certificate that the agent named in its heartbeat, and nothing else: the leaf itself is
// compared, so that names and clocks do not matter.
func (c *Client) httpClient(node *ingot.Node) (*http.Client, error) {
	transport := &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, TLSHandshakeTimeout: 10 * time.Second}
	if node.Agent.CA == "" {
		return &http.Client{Transport: transport}, nil
	}
	block, _ := pem.Decode([]byte(node.Agent.CA))
	if block == nil {
		return nil, ingot.Fatalf("cannot trust the agent at %s: its agent_verify_ca is not PEM", node.Agent.URL)
	}
	want := sha256.Sum256(block.Bytes)
	transport.TLSClientConfig = &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // the check below replaces the chain's
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
			if len(raw) == 0 || sha256.Sum256(raw[0]) != want {
				return errors.New("it presents another certificate than its heartbeat named: another boot answers there")
			}
			return nil
		},
	}
	return &http.Client{Transport: transport}, nil
}

// connectError names the agent; without the query, which holds its token.
func connectError(node *ingot.Node, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return fmt.Errorf("cannot reach the agent at %s: %w", node.Agent.URL, err)
}

// statusError reads the error body of ironic-python-agent: {faultcode, faultstring} or {type, code, message, details}.
func statusError(node *ingot.Node, status int, body []byte) error {
	var fault struct{ Faultstring, Message, Details string }
	_ = json.Unmarshal(body, &fault) // what is not JSON leaves the status to speak
	text := fault.Faultstring
	for _, other := range []string{fault.Details, fault.Message, http.StatusText(status)} {
		if text == "" {
			text = other
		}
	}
	err := fmt.Errorf("the agent at %s answered %d: %s", node.Agent.URL, status, text)
	switch {
	case status == http.StatusConflict || strings.Contains(strings.ToLower(text), "agent is busy"):
		return &ingot.Error{Code: ingot.Locked, Err: err}
	case status >= 500:
		return err
	}
	return ingot.Fatal(err)
}
