# The user-data of each server, for cloud-init. It only writes files and starts a unit; the work is in files/boot.sh.
locals {
  boot_folder = "/etc/containarium-boot"

  admin_keys = {
    for name, keys in var.admin_ssh_keys : name => compact([for line in split("\n", keys) : trimspace(line)])
  }

  common_files = concat(
    [
      { path = "${local.boot_folder}/boot.sh", content = file("${path.module}/files/boot.sh"), permissions = "0755" },
      {
        path        = "/etc/systemd/system/containarium-boot.service"
        content     = file("${path.module}/files/containarium-boot.service")
        permissions = "0644"
      },
    ],
    [
      for name, keys in local.admin_keys :
      { path = "${local.boot_folder}/admins/${name}.pub", content = join("", [for key in keys : "${key}\n"]), permissions = "0644" }
    ],
    var.extra_files,
  )

  host_users = [
    for name, keys in local.admin_keys : {
      name                = name
      gecos               = "Containarium admin"
      shell               = "/bin/bash"
      sudo                = "ALL=(ALL) NOPASSWD:ALL"
      lock_passwd         = true
      ssh_authorized_keys = keys
    } if var.host_accounts
  ]

  user_data = {
    for name, server in local.servers : name => join("\n", ["#cloud-config", yamlencode({
      hostname     = name
      ssh_pwauth   = false
      disable_root = true
      users        = local.host_users
      write_files = concat(
        local.common_files,
        [
          {
            path        = "${local.boot_folder}/values"
            permissions = "0644"
            content = join("", [
              for key, value in {
                BOOT_DATA_DISK      = server.data_disk_device
                BOOT_DISK_WAIT      = var.disk_wait_seconds
                BOOT_HOSTNAME       = server.hostname
                BOOT_RELEASE_SHA256 = var.release_sha256
                BOOT_RELEASE_URL    = var.release_url
              } : "${key}=${value}\n"
            ])
          },
          { path = "${local.boot_folder}/settings.yaml", permissions = "0644", content = local.settings[name] },
        ],
        [
          for script in compact([lookup(var.attach_scripts, name, "")]) :
          { path = "${local.boot_folder}/attach-disk", permissions = "0755", content = script }
        ],
      )
      runcmd = concat(var.extra_commands, [
        ["systemctl", "daemon-reload"],
        ["systemctl", "enable", "containarium-boot.service"],
        ["systemctl", "start", "containarium-boot.service"],
      ])
    })])
  }
}
