"""A client on paramiko for the tests: `paramikoClient.py SETTINGS [WORD…]`. SETTINGS are JSON (../sshClients.ts, LibrarySettings)."""

import base64
import json
import logging
import os
import shutil
import sys
import termios
import threading
import tty

import paramiko

settings = json.loads(sys.argv[1])
command = " ".join(sys.argv[2:])

if settings["verbose"]:
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
if settings["rekeyBytes"] is not None:
    paramiko.packet.Packetizer.REKEY_BYTES = settings["rekeyBytes"]

kind, blob = settings["hostKey"].split(" ")[:2]
client = paramiko.SSHClient()
client.set_missing_host_key_policy(paramiko.RejectPolicy())
client.get_host_keys().add("[127.0.0.1]:%d" % settings["port"], kind, paramiko.Ed25519Key(data=base64.b64decode(blob)))
client.connect("127.0.0.1", settings["port"], "manage", key_filename=settings["key"], allow_agent=False, look_for_keys=False)
channel = client.get_transport().open_session()
if settings["terminal"]:
    columns, rows = shutil.get_terminal_size()
    channel.get_pty("xterm", columns, rows)
if command:
    channel.exec_command(command)
else:
    channel.invoke_shell()

before = termios.tcgetattr(0) if os.isatty(0) else None
if before is not None and settings["terminal"]:
    tty.setraw(0)


def send():
    try:
        while data := os.read(0, 65536):
            channel.sendall(data)
        channel.shutdown_write()
    except OSError:
        pass


def receive(read, descriptor):
    while data := read(65536):
        while data:
            data = data[os.write(descriptor, data) :]


threading.Thread(target=send, daemon=True).start()
streams = [threading.Thread(target=receive, args=args) for args in ((channel.recv, 1), (channel.recv_stderr, 2))]
for stream in streams:
    stream.start()
for stream in streams:
    stream.join()
status = channel.recv_exit_status()
if before is not None:
    termios.tcsetattr(0, termios.TCSADRAIN, before)
os._exit(status if status >= 0 else 255)
