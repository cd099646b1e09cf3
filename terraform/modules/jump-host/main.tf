locals {
  server_names = [
    for number in range(1, var.jump_server_count + 1) :
    number == 1 ? var.instance_name : "${var.instance_name}-${number}"
  ]

  servers = {
    for name in local.server_names : name => {
      hostname         = var.hostnames[name]
      data_disk_device = var.data_disk_devices[name]
    }
  }

  # containarium's own file of servers (docs/remote.md): `--on all` asks them all.
  inventory = {
    servers = { for name, server in local.servers : name => { address = "${server.hostname}:50051" } }
  }

  ssh_config = join("\n", [
    for name, server in local.servers : join("\n", [
      "Host ${name}",
      "  HostName ${server.hostname}",
      "  Port 2222",
      "  User manage",
      "",
    ])
  ])
}
