// A server on Go's golang.org/x/crypto/ssh for ../exec.ts: goServer SETTINGS. SETTINGS are JSON (servers.ts,
// BareSettings). It prints its port.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/crypto/ssh"
)

type answer struct {
	Stdout string
	Stderr string
}

type settings struct {
	HostKey string
	UserKey string
	Answers map[string]answer
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(socket net.Conn, config *ssh.ServerConfig, answers map[string]answer) {
	defer socket.Close()
	connection, channels, requests, err := ssh.NewServerConn(socket, config)
	if err != nil {
		return
	}
	defer connection.Close()
	go ssh.DiscardRequests(requests)
	for opened := range channels {
		channel, requests, err := opened.Accept()
		if err != nil {
			return
		}
		go run(channel, requests, answers)
	}
}

func run(channel ssh.Channel, requests <-chan *ssh.Request, answers map[string]answer) {
	defer channel.Close()
	for request := range requests {
		if request.Type != "exec" {
			_ = request.Reply(false, nil)
			continue
		}
		_ = request.Reply(true, nil)
		var asked struct{ Command string }
		_ = ssh.Unmarshal(request.Payload, &asked)
		text := answers[asked.Command]
		_, _ = channel.Write([]byte(text.Stdout))
		_, _ = channel.Stderr().Write([]byte(text.Stderr))
		_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{0}))
		return
	}
}

func main() {
	var given settings
	must(json.Unmarshal([]byte(os.Args[1]), &given))
	private, err := os.ReadFile(given.HostKey)
	must(err)
	hostKey, err := ssh.ParsePrivateKey(private)
	must(err)
	public, err := os.ReadFile(given.UserKey)
	must(err)
	allowed, _, _, _, err := ssh.ParseAuthorizedKey(public)
	must(err)
	config := &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if !bytes.Equal(key.Marshal(), allowed.Marshal()) {
				return nil, errors.New("unknown key")
			}
			return nil, nil
		},
	}
	config.AddHostKey(hostKey)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	for {
		socket, err := listener.Accept()
		must(err)
		go serve(socket, config, given.Answers)
	}
}
