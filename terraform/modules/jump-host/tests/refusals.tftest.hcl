# What a plan refuses, before anything is made.

variables {
  admin_ssh_keys    = { carol = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKvFzQ2dLNwO8mXGmYbYzcCrLXXeLhrOC0xKIT1YhS0Y carol@laptop" }
  release_url       = "https://downloads.example.org/containarium.tar.gz"
  release_sha256    = "0000000000000000000000000000000000000000000000000000000000000000"
  memory_gib        = 32
  hostnames         = { containarium-jump = "jump.example.org" }
  data_disk_devices = { containarium-jump = "/dev/disk/by-id/a" }
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

run "a_load_balancer" {
  command = plan
  variables {
    enable_load_balancer = true
  }
  expect_failures = [var.enable_load_balancer]
}

run "no_server" {
  command = plan
  variables {
    jump_server_count = 0
  }
  expect_failures = [var.jump_server_count]
}

run "a_name_that_is_no_host_name" {
  command = plan
  variables {
    instance_name = "Jump_Host"
  }
  expect_failures = [var.instance_name]
}

run "no_admin" {
  command = plan
  variables {
    admin_ssh_keys = {}
  }
  expect_failures = [var.admin_ssh_keys]
}

run "a_private_key" {
  command = plan
  variables {
    admin_ssh_keys = { carol = "-----BEGIN OPENSSH PRIVATE KEY-----" }
  }
  expect_failures = [var.admin_ssh_keys]
}

run "a_key_with_options" {
  command = plan
  variables {
    admin_ssh_keys = { carol = "command=\"sh\" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKvFzQ2dLNwO8mXGmYbYzcCrLXXeLhrOC0xKIT1YhS0Y" }
  }
  expect_failures = [var.admin_ssh_keys]
}

run "an_admin_called_root" {
  command = plan
  variables {
    admin_ssh_keys = { root = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKvFzQ2dLNwO8mXGmYbYzcCrLXXeLhrOC0xKIT1YhS0Y" }
  }
  expect_failures = [var.admin_ssh_keys]
}

run "an_admin_with_the_name_of_a_package" {
  command = plan
  variables {
    admin_ssh_keys = { postgres = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKvFzQ2dLNwO8mXGmYbYzcCrLXXeLhrOC0xKIT1YhS0Y" }
  }
  expect_failures = [var.admin_ssh_keys]
}

run "an_admin_whose_name_leaves_the_folder" {
  command = plan
  variables {
    admin_ssh_keys = { "../carol" = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKvFzQ2dLNwO8mXGmYbYzcCrLXXeLhrOC0xKIT1YhS0Y" }
  }
  expect_failures = [var.admin_ssh_keys]
}

run "a_release_without_its_checksum" {
  command = plan
  variables {
    release_sha256 = "latest"
  }
  expect_failures = [var.release_sha256]
}

run "an_address_with_another_line" {
  command = plan
  variables {
    release_url = "https://downloads.example.org/x\nBOOT_HOSTNAME=y"
  }
  expect_failures = [var.release_url]
}

run "settings_that_are_no_yaml" {
  command = plan
  variables {
    settings = "backups: ["
  }
  expect_failures = [var.settings]
}

run "settings_that_are_a_list" {
  command = plan
  variables {
    settings = "- backups"
  }
  expect_failures = [var.settings]
}

run "a_data_disk_that_is_too_small" {
  command = plan
  variables {
    data_disk_size = 5
  }
  expect_failures = [var.data_disk_size]
}
