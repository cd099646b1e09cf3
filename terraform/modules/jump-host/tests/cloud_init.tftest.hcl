# What cloud-init gets. test/terraform/boot.test.ts runs the script in it.

variables {
  admin_ssh_keys = {
    carol = <<-EOT
      ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKvFzQ2dLNwO8mXGmYbYzcCrLXXeLhrOC0xKIT1YhS0Y carol@laptop
      ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKvFzQ2dLNwO8mXGmYbYzcCrLXXeLhrOC0xKIT1YhS0Z carol@phone: "spare"
    EOT
    dave  = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIA== dave"
  }
  release_url       = "file:///release.tar.gz"
  release_sha256    = "0000000000000000000000000000000000000000000000000000000000000000"
  memory_gib        = 8
  hostnames         = { containarium-jump = "jump.example.org" }
  data_disk_devices = { containarium-jump = "/dev/disk/by-id/virtio-data" }
  prices = {
    currency          = "EUR"
    as_of             = "a test"
    machine_hour      = 1
    spot_machine_hour = 0.5
    data_disk_month   = 0.1
    boot_disk_month   = 0.2
    snapshot_month    = 0.04
    address_hour      = 0.01
  }
}

run "a_plain_machine_needs_no_cloud" {
  command = plan

  assert {
    condition     = startswith(output.user_data["containarium-jump"], "#cloud-config\n")
    error_message = "cloud-init reads the first line"
  }
  assert {
    condition = {
      for file in yamldecode(output.user_data["containarium-jump"]).write_files : file.path => file.content
      if endswith(file.path, "/values")
      } == {
      "/etc/containarium-boot/values" = "BOOT_DATA_DISK=/dev/disk/by-id/virtio-data\nBOOT_DISK_WAIT=600\nBOOT_HOSTNAME=jump.example.org\nBOOT_RELEASE_SHA256=${var.release_sha256}\nBOOT_RELEASE_URL=file:///release.tar.gz\n"
    }
    error_message = "values of the script"
  }
  assert {
    condition     = [for file in yamldecode(output.user_data["containarium-jump"]).write_files : file.path if strcontains(file.path, "attach")] == []
    error_message = "nothing attaches a disk where the cloud has attached it"
  }
  assert {
    condition     = [for user in yamldecode(output.user_data["containarium-jump"]).users : user.name] == ["carol", "dave"]
    error_message = "an account for each admin"
  }
  assert {
    condition = [
      for file in yamldecode(output.user_data["containarium-jump"]).write_files : length(split("\n", trimspace(file.content)))
      if strcontains(file.path, "/admins/")
    ] == [2, 1]
    error_message = "all keys of each admin"
  }
  assert {
    condition     = yamldecode(output.settings["containarium-jump"]) == { jump = { hostname = "jump.example.org" } }
    error_message = output.settings["containarium-jump"]
  }
}

run "admins_without_accounts_on_the_machine" {
  command = plan
  variables {
    host_accounts = false
  }

  assert {
    condition     = yamldecode(output.user_data["containarium-jump"]).users == []
    error_message = "no accounts"
  }
}

run "a_cloud_adds_its_own_parts" {
  command = plan
  variables {
    attach_scripts = { containarium-jump = "#!/bin/sh\n" }
    extra_files    = [{ path = "/etc/x", content = "y" }]
    extra_commands = [["true", "first"]]
  }

  assert {
    condition = [
      for file in yamldecode(output.user_data["containarium-jump"]).write_files : "${file.permissions} ${file.path}"
      if endswith(file.path, "/attach-disk") || file.path == "/etc/x"
    ] == ["0644 /etc/x", "0755 /etc/containarium-boot/attach-disk"]
    error_message = "files of the cloud"
  }
  assert {
    condition     = yamldecode(output.user_data["containarium-jump"]).runcmd[0] == ["true", "first"]
    error_message = "commands of the cloud come first"
  }
}

run "settings_are_kept_beside_those_of_terraform" {
  command = plan
  variables {
    settings        = "jump: { hostname: other.example.org, port: 22 }\nssh: { penalties: { minMs: 1000, exempt: [192.0.2.1] } }\ntrash: { keep: 3d }\n"
    exempt_networks = ["35.191.0.0/16"]
  }

  assert {
    condition = yamldecode(output.settings["containarium-jump"]) == {
      jump  = { hostname = "jump.example.org", port = 22 }
      ssh   = { penalties = { minMs = 1000, exempt = ["192.0.2.1", "35.191.0.0/16"] } }
      trash = { keep = "3d" }
    }
    error_message = output.settings["containarium-jump"]
  }
}

run "settings_of_comments_alone" {
  command = plan
  variables {
    settings = "# nothing yet\n"
  }

  assert {
    condition     = yamldecode(output.settings["containarium-jump"]) == { jump = { hostname = "jump.example.org" } }
    error_message = output.settings["containarium-jump"]
  }
}
