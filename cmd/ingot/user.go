package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/term"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
)

// userCommand is `ingot user`: the file of api.users, which a running service reads again when it changes.
type userCommand struct {
	Add    userAdd    `cmd:"" help:"Add a user, or give one another password and other roles."`
	Remove userRemove `cmd:"" help:"Remove a user."`
	List   userList   `cmd:"" help:"List users and what they may do."`
}

type userAdd struct {
	File    string   `arg:"" help:"The user file; it is made where there is none." type:"path"`
	User    string   `arg:"" help:"The user's name."`
	Role    []string `help:"Roles: admin, manager, member, reader or service; admin unless told. Each of the first four has those after it."`
	Project string   `help:"The project that the roles are for; the whole service unless told."`
}

// Run asks for the password and writes the file.
func (u *userAdd) Run() error {
	users, err := readUsers(u.File)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	password, err := newPassword(u.User)
	if err != nil {
		return err
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
	if err != nil {
		return fmt.Errorf("cannot use this password: %w", err)
	}
	if len(u.Role) == 0 {
		u.Role = []string{ingot.RoleAdmin}
	}
	user := api.User{Hash: string(hash), Identity: ingot.Identity{User: u.User, Roles: u.Role, Project: u.Project, System: u.Project == ""}}
	if err := user.Check(); err != nil {
		return fmt.Errorf("cannot add this user: %w", err)
	}
	return writeUser(u.File, users, u.User, user.Line())
}

type userRemove struct {
	File string `arg:"" help:"The user file." type:"path"`
	User string `arg:"" help:"The user's name."`
}

// Run takes the user out of the file.
func (u *userRemove) Run() error {
	users, err := readUsers(u.File)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(users, func(other api.User) bool { return other.User == u.User }) {
		return fmt.Errorf("user %s is not in %s", u.User, u.File)
	}
	return writeUser(u.File, users, u.User, "")
}

type userList struct {
	File string `arg:"" help:"The user file." type:"path"`
}

// Run prints the users.
func (u *userList) Run() error {
	users, err := readUsers(u.File)
	if err != nil {
		return err
	}
	for _, user := range users {
		where := "the whole service"
		if !user.System {
			where = "project " + user.Project
		}
		fmt.Printf("%s: %s in %s\n", user.User, strings.Join(user.Roles, ", "), where)
	}
	return nil
}

func readUsers(file string) ([]api.User, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the user file: %w", err)
	}
	users, err := api.ParseUsers(string(text))
	if err != nil {
		return nil, fmt.Errorf("cannot use the user file %s: %w", file, err)
	}
	return users, nil
}

// writeUser puts the line in the place of the user's, or at the end; "" takes it away. Comments stay. The file appears
// whole, and only its owner can read it.
func writeUser(file string, users []api.User, name, line string) error {
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot read the user file: %w", err)
	}
	var out strings.Builder
	known := slices.ContainsFunc(users, func(u api.User) bool { return u.User == name })
	for old := range strings.Lines(string(text)) {
		switch theirs := strings.HasPrefix(strings.TrimSpace(old), name+":"); {
		case !theirs:
			out.WriteString(strings.TrimRight(old, "\r\n") + "\n")
		case line != "":
			out.WriteString(line + "\n")
		}
	}
	if !known && line != "" {
		out.WriteString(line + "\n")
	}
	f, err := os.OpenFile(file+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("cannot write the user file: %w", err)
	}
	_, err = f.WriteString(out.String())
	if err = errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close()); err == nil {
		err = os.Rename(file+".new", file)
	}
	if err != nil {
		return fmt.Errorf("cannot write the user file: %w", err)
	}
	return nil
}

// newPassword asks twice on a terminal, and takes the first line of what is piped in.
func newPassword(user string) (string, error) {
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		line, err := bufio.NewReader(os.Stdin).ReadString('\n')
		password := strings.TrimRight(line, "\r\n")
		if password == "" {
			return "", fmt.Errorf("cannot add a user without a password: give it as a line on standard input (%w)", errors.Join(err))
		}
		return password, nil
	}
	ask := func(prompt string) (string, error) {
		fmt.Fprint(os.Stderr, prompt)
		text, err := term.ReadPassword(fd)
		fmt.Fprintln(os.Stderr)
		return string(text), err
	}
	first, err := ask("Password for " + user + ": ")
	if err != nil {
		return "", fmt.Errorf("cannot read the password: %w", err)
	}
	again, err := ask("Again: ")
	switch {
	case err != nil:
		return "", fmt.Errorf("cannot read the password: %w", err)
	case first == "":
		return "", errors.New("cannot add a user without a password")
	case first != again:
		return "", errors.New("the two passwords differ")
	}
	return first, nil
}
