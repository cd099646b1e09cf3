// A client on Go's golang.org/x/crypto/ssh for the tests: goClient SETTINGS [WORD…]. SETTINGS are JSON (../sshClients.ts, LibrarySettings).
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/term"
)

type settings struct {
	Port       int
	Key        string
	HostKey    string
	Terminal   bool
	Verbose    bool
	RekeyBytes *uint64
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(255)
	}
}

func main() {
	var asked settings
	must(json.Unmarshal([]byte(os.Args[1]), &asked))
	command := strings.Join(os.Args[2:], " ")

	private, err := os.ReadFile(asked.Key)
	must(err)
	signer, err := ssh.ParsePrivateKey(private)
	must(err)
	expected, _, _, _, err := ssh.ParseAuthorizedKey([]byte(asked.HostKey))
	must(err)
	config := &ssh.ClientConfig{
		User: "manage",
		Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		// Asked at each key exchange.
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			if !bytes.Equal(key.Marshal(), expected.Marshal()) {
				return errors.New("another host key")
			}
			if asked.Verbose {
				fmt.Fprintln(os.Stderr, "keys are exchanged")
			}
			return nil
		},
	}
	if asked.RekeyBytes != nil {
		config.RekeyThreshold = *asked.RekeyBytes
	}
	client, err := ssh.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", asked.Port), config)
	must(err)
	session, err := client.NewSession()
	must(err)
	session.Stdin, session.Stdout, session.Stderr = os.Stdin, os.Stdout, os.Stderr

	restore := func() {}
	if asked.Terminal {
		columns, rows := 80, 24
		if term.IsTerminal(0) {
			columns, rows, err = term.GetSize(0)
			must(err)
			before, err := term.MakeRaw(0)
			must(err)
			restore = func() { _ = term.Restore(0, before) }
		}
		must(session.RequestPty("xterm", rows, columns, ssh.TerminalModes{}))
	}
	if command == "" {
		err = session.Shell()
	} else {
		err = session.Start(command)
	}
	must(err)
	err = session.Wait()
	restore()
	var exit *ssh.ExitError
	if errors.As(err, &exit) {
		os.Exit(exit.ExitStatus())
	}
	must(err)
}
