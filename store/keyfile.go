package store

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ingot-metal/ingot"
)

// readKeyFile gives the secrets of a key file: one a line, the current one first; empty lines and lines that start
// with # do not count. The file is to be its owner's alone.
func readKeyFile(path string) ([]ingot.Secret, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the key file: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, ingot.Errorf(ingot.Invalid, "cannot use the key file %s: others can open it (mode %04o); run chmod 600 %s", path, mode, path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the key file: %w", err)
	}
	var secrets []ingot.Secret
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		if line := strings.TrimSpace(lines.Text()); line != "" && !strings.HasPrefix(line, "#") {
			secrets = append(secrets, ingot.Secret(line))
		}
	}
	if len(secrets) == 0 {
		return nil, ingot.Errorf(ingot.Invalid, "cannot use the key file %s: it is empty; put it back from a backup, or remove it if the database is new", path)
	}
	return secrets, nil
}

// makeKeyFile writes a new secret to path, where no file is yet, and has it on disk before it returns: nothing may be
// encrypted with a key that a power cut takes away.
func makeKeyFile(path string) error {
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		return err
	}
	text := "# Ingot's key: without it the secrets in the database cannot be read. Keep a copy apart from the database's.\n" +
		base64.StdEncoding.EncodeToString(random) + "\n"
	temporary := path + ".new"
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("cannot make the key file: %w", err)
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("cannot make the key file %s: %w", path, err)
	}
	return nil
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// loadKeys finds the secrets that cfg names, and checks them against the database: the first start writes the current
// key's check value, and a later start under other secrets is refused.
func loadKeys(c *conn, cfg Config) (*keyring, error) {
	known := map[string]string{}
	rows, err := c.rows("SELECT id, check_value FROM encryption_keys")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id, check string
		if err := rows.Scan(&id, &check); err != nil {
			return nil, err
		}
		known[id] = check
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	secrets, err := findSecrets(cfg, len(known) > 0)
	if err != nil {
		return nil, err
	}
	keys, err := newKeyring(secrets...)
	if err != nil {
		return nil, err
	}
	return keys, checkKeys(c, cfg, keys, known)
}

func findSecrets(cfg Config, used bool) ([]ingot.Secret, error) {
	if cfg.Secret != "" {
		var secrets []ingot.Secret
		for line := range strings.Lines(cfg.Secret.Reveal()) {
			if line = strings.TrimSpace(line); line != "" {
				secrets = append(secrets, ingot.Secret(line))
			}
		}
		return secrets, nil
	}
	if cfg.KeyFile == "" {
		return nil, ingot.Errorf(ingot.Invalid, "cannot open a shared database without its secret: give the same secret or key file to every process that uses it")
	}
	_, err := os.Stat(cfg.KeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		if used {
			return nil, ingot.Errorf(ingot.Invalid, "cannot open the database: its key file %s is missing; put it back from a backup", cfg.KeyFile)
		}
		if cfg.URL != "" {
			return nil, ingot.Errorf(ingot.Invalid, "cannot open the database: the key file %s is missing; make one that all processes share (mode 0600, one line, such as `openssl rand -base64 32` prints)", cfg.KeyFile)
		}
		if err := makeKeyFile(cfg.KeyFile); err != nil {
			return nil, err
		}
	}
	return readKeyFile(cfg.KeyFile)
}

// checkKeys refuses secrets of which the database knows none, and makes the current one known.
func checkKeys(c *conn, cfg Config, keys *keyring, known map[string]string) error {
	matched := len(known) == 0
	for _, k := range keys.keys {
		matched = matched || known[k.name()] == k.check
	}
	current := keys.keys[0]
	if !matched {
		source := "the secret that was given"
		if cfg.Secret == "" {
			source = "the secret in " + cfg.KeyFile
		}
		return ingot.Errorf(ingot.Invalid, "cannot open the database: %s (key %s) is not the one that it was written with; put the right one back, or start with an empty database", source, current.name())
	}
	if err := refuseMissingKeys(c, keys, known); err != nil {
		return err
	}
	if _, have := known[current.name()]; have {
		return nil
	}
	_, err := c.exec("INSERT INTO encryption_keys (id, check_value, created_at) VALUES (?, ?, ?)", current.name(), current.check, micros(c.store.now()))
	return err
}
