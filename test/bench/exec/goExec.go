// Makes cold execs with Go's golang.org/x/crypto/ssh for ../exec.ts: goExec KEY. Each line of standard input has a port
// and a command, and is answered with a line of JSON.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// Phases of one exec in microseconds, in the order in which they happen, and what the server answered.
type exec struct {
	Connect     float64 `json:"connect"`
	KeyExchange float64 `json:"keyExchange"`
	Login       float64 `json:"login"`
	Session     float64 `json:"session"`
	Answer      float64 `json:"answer"`
	Close       float64 `json:"close"`
	Stdout      string  `json:"stdout"`
	Stderr      string  `json:"stderr"`
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func cold(port string, command string, signer ssh.Signer) exec {
	var done exec
	last := time.Now()
	lap := func(phase *float64) {
		now := time.Now()
		*phase = float64(now.Sub(last).Nanoseconds()) / 1000
		last = now
	}
	config := &ssh.ClientConfig{
		User: "manage",
		Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		// Called when the server has proved that it has the key.
		HostKeyCallback: func(string, net.Addr, ssh.PublicKey) error {
			lap(&done.KeyExchange)
			return nil
		},
	}
	address := net.JoinHostPort("127.0.0.1", port)
	socket, err := net.Dial("tcp", address)
	must(err)
	lap(&done.Connect)
	connection, channels, requests, err := ssh.NewClientConn(socket, address, config)
	must(err)
	lap(&done.Login)
	client := ssh.NewClient(connection, channels, requests)
	session, err := client.NewSession()
	must(err)
	lap(&done.Session)
	var stdout, stderr bytes.Buffer
	session.Stdout, session.Stderr = &stdout, &stderr
	must(session.Run(command))
	lap(&done.Answer)
	must(client.Close())
	lap(&done.Close)
	done.Stdout, done.Stderr = stdout.String(), stderr.String()
	return done
}

func main() {
	private, err := os.ReadFile(os.Args[1])
	must(err)
	signer, err := ssh.ParsePrivateKey(private)
	must(err)
	answers := json.NewEncoder(os.Stdout)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		port, command, _ := strings.Cut(lines.Text(), " ")
		must(answers.Encode(cold(port, command, signer)))
	}
}
