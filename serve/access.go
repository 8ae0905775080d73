package serve

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"

	"github.com/ingot-metal/ingot/api"
)

// openAPI opens the API's listener, with TLS where that is configured, and the audit's file.
func (a *App) openAPI() (err error) {
	cfg := &a.Config
	var config *tls.Config
	if config, a.apiPrint, err = cfg.certificate(); err != nil {
		return err
	}
	if a.apiListen, err = listen(cfg.API.Listen); err != nil {
		return err
	}
	if config != nil {
		a.apiListen = tls.NewListener(a.apiListen, config)
	}
	if cfg.API.AuditLog == "" {
		return nil
	}
	// Lines are appended, so that a tool that empties or copies the file loses none.
	if a.auditFile, err = os.OpenFile(cfg.API.AuditLog, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		return fmt.Errorf("cannot write the audit log: %w", err)
	}
	return nil
}

// audit is the logger of changes: the service's, under an attribute of its own, and the file.
func (a *App) audit() *slog.Logger {
	lines := a.log.With("log", "audit")
	if a.auditFile == nil {
		return lines
	}
	return slog.New(slog.NewMultiHandler(lines.Handler(), slog.NewJSONHandler(a.auditFile, nil)))
}

func (a *App) authenticator() (api.Authenticator, error) {
	if a.Config.API.Auth == "none" {
		return nil, nil //nolint:nilnil // nil lets everybody in
	}
	users := &api.BasicAuth{File: a.Config.API.Users}
	return users, users.Load()
}
